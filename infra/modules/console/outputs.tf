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
