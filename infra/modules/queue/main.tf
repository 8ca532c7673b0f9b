# A Cloud Tasks queue. Its retries are those of local/embedded/retry.py, unless its variables say otherwise.

resource "google_cloud_tasks_queue" "this" {
  project  = var.project_id
  location = var.location
  name     = var.name

  rate_limits {
    max_dispatches_per_second = var.max_dispatches_per_second
    max_concurrent_dispatches = var.max_concurrent_dispatches
  }

  # A task is given up once it has had all of its attempts and all of its time; one of them alone would be unlimited.
  retry_config {
    max_attempts       = 100
    max_retry_duration = var.max_retry_duration
    min_backoff        = var.min_backoff
    max_backoff        = var.max_backoff
    max_doublings      = 6
  }

  # Every attempt: there are some 60 tasks for a million recipients.
  stackdriver_logging_config {
    sampling_ratio = 1
  }
}
