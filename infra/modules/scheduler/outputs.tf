output "job" {
  description = "The job's name."
  value       = google_cloud_scheduler_job.reconcile.name
}
