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

output "deployed" {
  description = "What the API should say of the queue: the resource as it writes it."
  value = {
    name  = "projects/${var.project_id}/locations/${var.location}/queues/${google_cloud_tasks_queue.this.name}"
    state = "RUNNING"
    rateLimits = {
      maxDispatchesPerSecond  = google_cloud_tasks_queue.this.rate_limits[0].max_dispatches_per_second
      maxConcurrentDispatches = google_cloud_tasks_queue.this.rate_limits[0].max_concurrent_dispatches
    }
    retryConfig = {
      maxAttempts      = google_cloud_tasks_queue.this.retry_config[0].max_attempts
      maxRetryDuration = google_cloud_tasks_queue.this.retry_config[0].max_retry_duration
      minBackoff       = google_cloud_tasks_queue.this.retry_config[0].min_backoff
      maxBackoff       = google_cloud_tasks_queue.this.retry_config[0].max_backoff
      maxDoublings     = google_cloud_tasks_queue.this.retry_config[0].max_doublings
    }
  }
}
