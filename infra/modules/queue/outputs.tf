output "name" {
  description = "The queue's name."
  value       = google_cloud_tasks_queue.this.name
}

output "rates" {
  description = "How many tasks may start in a second, and run at once."
  value = {
    per_second = google_cloud_tasks_queue.this.rate_limits[0].max_dispatches_per_second
    at_once    = google_cloud_tasks_queue.this.rate_limits[0].max_concurrent_dispatches
  }
}
