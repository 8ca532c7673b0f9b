# The one job that Terraform makes. The jobs of recipes are made by reconcile, in the same region. Retries and deadline
# are those of local/embedded/scheduler.py.

resource "google_cloud_scheduler_job" "reconcile" {
  project          = var.project_id
  region           = var.location
  name             = "reconcile-tminus" # a recipe's job is tminus-{recipe id}, and a recipe may be called reconcile
  description      = "Makes what is match what should be"
  schedule         = "*/5 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "180s"

  retry_config {
    retry_count          = 5
    max_retry_duration   = "0s" # only the number of attempts counts
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
    max_doublings        = 5
  }

  http_target {
    http_method = "POST"
    uri         = var.url
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")

    oidc_token {
      service_account_email = var.caller
      audience              = var.url
    }
  }
}
