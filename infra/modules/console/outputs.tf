output "name" {
  description = "The service's name."
  value       = google_cloud_run_v2_service.this.name
}

output "audience" {
  description = "What the proxy's assertions are made out to."
  value       = local.audience
}

output "grants" {
  description = "What the proxy may do, as `account: role on what`."
  value       = ["iap: ${google_cloud_run_v2_service_iam_member.proxy.role} on service ${google_cloud_run_v2_service.this.name}"]
}

output "service" {
  description = "The service as it is deployed."
  value       = google_cloud_run_v2_service.this
}

output "visitors" {
  description = "The members that the proxy lets in."
  value       = toset([for visitor in google_iap_web_cloud_run_service_iam_member.visitor : visitor.member])
}

output "deployed" {
  description = "What the API of Cloud Run should say of the service: the resource as it writes it."
  value = {
    name       = "projects/${var.project_id}/locations/${var.location}/services/${google_cloud_run_v2_service.this.name}"
    ingress    = google_cloud_run_v2_service.this.ingress
    iapEnabled = google_cloud_run_v2_service.this.iap_enabled
    template = {
      serviceAccount                = google_cloud_run_v2_service.this.template[0].service_account
      timeout                       = google_cloud_run_v2_service.this.template[0].timeout
      maxInstanceRequestConcurrency = google_cloud_run_v2_service.this.template[0].max_instance_request_concurrency
      scaling                       = { maxInstanceCount = google_cloud_run_v2_service.this.template[0].scaling[0].max_instance_count }
      containers = [{
        resources = { limits = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].limits }
        env = concat(
          [for each in google_cloud_run_v2_service.this.template[0].containers[0].env : { name = each.name, value = each.value } if length(each.value_source) == 0],
          [for each in google_cloud_run_v2_service.this.template[0].containers[0].env : { name = each.name, valueSource = { secretKeyRef = { secret = each.value_source[0].secret_key_ref[0].secret, version = each.value_source[0].secret_key_ref[0].version } } } if length(each.value_source) > 0],
        )
      }]
    }
  }
}

output "bindings" {
  description = "Who may open the service, and who may come past the proxy: IAM bindings and what they are on."
  value = concat(
    [{ kind = "service", name = google_cloud_run_v2_service.this.name, role = google_cloud_run_v2_service_iam_member.proxy.role, member = google_cloud_run_v2_service_iam_member.proxy.member, condition = null }],
    [for visitor in google_iap_web_cloud_run_service_iam_member.visitor : { kind = "proxy", name = google_cloud_run_v2_service.this.name, role = visitor.role, member = visitor.member, condition = null }],
  )
}
