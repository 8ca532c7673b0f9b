output "name" {
  description = "The function's name, and its Cloud Run service's."
  value       = google_cloudfunctions2_function.this.name
}

output "grants" {
  description = "Who may call the function, as `account: role on what`."
  value = [
    for member in google_cloud_run_v2_service_iam_member.invoker :
    "${trimprefix(split("@", member.member)[0], "serviceAccount:")}: ${member.role} on service ${member.name}"
  ]
}

output "deployed" {
  description = "What the APIs of Cloud Functions and Cloud Run should say of the function: the resources as they write them."
  value = {
    function = {
      name        = "projects/${var.project_id}/locations/${var.location}/functions/${google_cloudfunctions2_function.this.name}"
      state       = "ACTIVE"
      buildConfig = { entryPoint = google_cloudfunctions2_function.this.build_config[0].entry_point, runtime = google_cloudfunctions2_function.this.build_config[0].runtime }
    }
    service = {
      name = "projects/${var.project_id}/locations/${var.location}/services/${google_cloudfunctions2_function.this.name}"
      ingress = {
        ALLOW_ALL               = "INGRESS_TRAFFIC_ALL"
        ALLOW_INTERNAL_ONLY     = "INGRESS_TRAFFIC_INTERNAL_ONLY"
        ALLOW_INTERNAL_AND_GCLB = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
      }[google_cloudfunctions2_function.this.service_config[0].ingress_settings]
      template = {
        serviceAccount                = google_cloudfunctions2_function.this.service_config[0].service_account_email
        timeout                       = "${google_cloudfunctions2_function.this.service_config[0].timeout_seconds}s"
        maxInstanceRequestConcurrency = google_cloudfunctions2_function.this.service_config[0].max_instance_request_concurrency
        scaling                       = { maxInstanceCount = google_cloudfunctions2_function.this.service_config[0].max_instance_count }
        containers = [{
          resources = { limits = { cpu = google_cloudfunctions2_function.this.service_config[0].available_cpu, memory = google_cloudfunctions2_function.this.service_config[0].available_memory } }
          env = concat(
            [for name, value in google_cloudfunctions2_function.this.service_config[0].environment_variables : { name = name, value = value }],
            [for variable in google_cloudfunctions2_function.this.service_config[0].secret_environment_variables : { name = variable.key, valueSource = { secretKeyRef = { secret = variable.secret, version = variable.version } } }],
          )
        }]
      }
    }
  }
}

output "bindings" {
  description = "Who may call the function: IAM bindings and what they are on."
  value = [
    for member in google_cloud_run_v2_service_iam_member.invoker :
    { kind = "service", name = member.name, role = member.role, member = member.member, condition = null }
  ]
}

output "vpc_connector" {
  description = "The connector that the function's requests to private addresses leave by; null: none."
  value       = google_cloudfunctions2_function.this.service_config[0].vpc_connector
}
