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

output "vpc_connector" {
  description = "The connector that the function's requests to private addresses leave by; null: none."
  value       = google_cloudfunctions2_function.this.service_config[0].vpc_connector
}
