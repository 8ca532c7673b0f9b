output "job" {
  description = "The job's name."
  value       = google_cloud_scheduler_job.reconcile.name
}

output "deployed" {
  description = "What the API should say of the job: the resource as it writes it."
  value = {
    name            = "projects/${var.project_id}/locations/${var.location}/jobs/${google_cloud_scheduler_job.reconcile.name}"
    state           = "ENABLED"
    schedule        = google_cloud_scheduler_job.reconcile.schedule
    timeZone        = google_cloud_scheduler_job.reconcile.time_zone
    attemptDeadline = google_cloud_scheduler_job.reconcile.attempt_deadline
    retryConfig     = { retryCount = google_cloud_scheduler_job.reconcile.retry_config[0].retry_count }
    httpTarget = {
      uri        = google_cloud_scheduler_job.reconcile.http_target[0].uri
      httpMethod = google_cloud_scheduler_job.reconcile.http_target[0].http_method
      oidcToken = {
        serviceAccountEmail = google_cloud_scheduler_job.reconcile.http_target[0].oidc_token[0].service_account_email
        audience            = google_cloud_scheduler_job.reconcile.http_target[0].oidc_token[0].audience
      }
    }
  }
}
