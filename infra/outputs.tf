output "functions" {
  description = "Address of each function; only its caller may open it."
  value       = local.function_urls
}

output "service_accounts" {
  description = "The account that each function runs as."
  value       = module.identity.functions
}

output "callers" {
  description = "The accounts that Cloud Tasks and Cloud Scheduler call as."
  value       = module.identity.callers
}

output "database" {
  description = "The Firestore database."
  value       = module.firestore.database
}

output "audience_bucket" {
  description = "Where audiences, receipts and, until cleanup, device tokens are."
  value       = module.storage.audience_bucket
}

output "source_bucket" {
  description = "Where all deployed archives are."
  value       = module.storage.source_bucket
}

output "source_archive" {
  description = "The archive that is deployed; give an earlier one as the variable source_archive to go back to it."
  value       = local.source_archive
}

output "queues" {
  description = "The queues; pause those of steps and shards to pause everything but alerts."
  value       = [module.steps.name, module.shards.name, module.alerts.name]
}

output "dashboard" {
  description = "Where to look."
  value       = "https://console.cloud.google.com/monitoring/dashboards?project=${var.project_id}"
}

output "console_image" {
  description = "The image that the console runs, with its digest: that of the function api."
  value       = local.console_image
}

output "console_sign_in" {
  description = "Which OAuth client the console's proxy uses, and so who can sign in."
  value       = local.console_sign_in
}

output "pause" {
  description = "The commands that stop every step and every send until the queues are resumed."
  value = [
    for queue in [module.steps.name, module.shards.name] :
    "gcloud tasks queues pause ${queue} --location=${var.location} --project=${var.project_id}"
  ]
}

output "grants" {
  description = "Everything that Tminus's accounts may do, each as `account: role on what, where`."
  value = sort(concat(
    module.identity.grants,
    flatten([for function in module.function : function.grants]),
    module.console.grants,
    ["tminus-builder: ${google_artifact_registry_repository_iam_member.builder.role} on repository ${google_artifact_registry_repository.images.repository_id}"],
  ))
}
