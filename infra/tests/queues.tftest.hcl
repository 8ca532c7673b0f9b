# Queues and the scheduler: FCM's quota is respected, and requests are retried as the embedded runtime does it.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789" }
  }
}

mock_provider "google-beta" {}

variables {
  project_id = "kicks-test"
  location   = "us-central1"
}

run "quota" {
  command = plan

  assert {
    condition     = tostring(local.shard_rows) == replace(one(regex("shard_rows: int = ([0-9_]+)", file("${path.module}/../functions/domain/policy.py"))), "_", "")
    error_message = "shard_rows is what functions/domain/policy.py says"
  }

  assert {
    condition     = module.shards.rates.per_second * local.shard_rows * 60 <= 600000
    error_message = "shards start no faster than FCM takes their messages: 600,000 a minute"
  }

  # At the beginning of a ramp a shard has a tenth of its share of the quota.
  assert {
    condition     = module.shards.rates.at_once * local.shard_rows / (var.fcm_messages_per_second * 0.1) < local.functions["send_shard"].timeout_seconds
    error_message = "shards that share the quota end before their requests are cut off"
  }

  assert {
    condition     = module.shards.rates.at_once == local.functions["send_shard"].max_instances
    error_message = "there is an instance for each shard that runs"
  }

  assert {
    condition     = local.environment["TASK_QUEUE"] == module.steps.name && local.environment["SHARD_QUEUE"] == module.shards.name && local.environment["ALERT_QUEUE"] == module.alerts.name
    error_message = "functions get the names of the queues that exist"
  }
}

run "a_smaller_share" {
  command = plan

  variables {
    fcm_messages_per_second = 2000
  }

  assert {
    condition     = module.shards.rates.per_second * local.shard_rows == 2000 && local.environment["FCM_MESSAGES_PER_SECOND"] == "2000"
    error_message = "queue and functions keep to the same share of the quota"
  }
}

run "more_than_the_quota" {
  command = plan

  variables {
    fcm_messages_per_second = 20000
  }

  expect_failures = [var.fcm_messages_per_second]
}

run "retries" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    name                      = "tminus-shards"
    max_dispatches_per_second = 0.5
    max_concurrent_dispatches = 10
  }

  assert {
    condition = alltrue([
      google_cloud_tasks_queue.this.retry_config[0].max_attempts == tonumber(one(regex("max_attempts: int = ([0-9]+)", file("../local/embedded/retry.py")))),
      google_cloud_tasks_queue.this.retry_config[0].max_retry_duration == "${3600 * tonumber(one(regex("max_retry_duration: timedelta = timedelta\\(hours=([0-9]+)\\)", file("../local/embedded/retry.py"))))}s",
      google_cloud_tasks_queue.this.retry_config[0].min_backoff == "${one(regex("min_backoff: timedelta = timedelta\\(seconds=([0-9]+)\\)", file("../local/embedded/retry.py")))}s",
      google_cloud_tasks_queue.this.retry_config[0].max_backoff == "${one(regex("max_backoff: timedelta = timedelta\\(seconds=([0-9]+)\\)", file("../local/embedded/retry.py")))}s",
      google_cloud_tasks_queue.this.retry_config[0].max_doublings == tonumber(one(regex("max_doublings: int = ([0-9]+)", file("../local/embedded/retry.py")))),
    ])
    error_message = "the queue retries as RetryPolicy of local/embedded/retry.py does"
  }

  assert {
    condition     = google_cloud_tasks_queue.this.stackdriver_logging_config[0].sampling_ratio == 1
    error_message = "every attempt is logged"
  }
}

run "scheduler" {
  command = plan

  module {
    source = "./modules/scheduler"
  }

  variables {
    url    = "https://tminus-reconcile-123456789.us-central1.run.app"
    caller = "tminus-scheduler-caller@kicks-test.iam.gserviceaccount.com"
  }

  assert {
    condition     = google_cloud_scheduler_job.reconcile.schedule == "*/5 * * * *" && google_cloud_scheduler_job.reconcile.time_zone == "Etc/UTC"
    error_message = "reconcile is called every five minutes"
  }

  assert {
    condition     = google_cloud_scheduler_job.reconcile.http_target[0].oidc_token[0].service_account_email == var.caller && google_cloud_scheduler_job.reconcile.http_target[0].oidc_token[0].audience == google_cloud_scheduler_job.reconcile.http_target[0].uri
    error_message = "the call carries a token of the scheduler's caller for this address"
  }

  assert {
    condition     = google_cloud_scheduler_job.reconcile.retry_config[0].retry_count == tonumber(one(regex("max_attempts=([0-9]+)", file("../local/embedded/scheduler.py")))) - 1 && google_cloud_scheduler_job.reconcile.attempt_deadline == "${60 * tonumber(one(regex("ATTEMPT_DEADLINE = timedelta\\(minutes=([0-9]+)\\)", file("../local/embedded/scheduler.py"))))}s"
    error_message = "attempts and deadline are those of local/embedded/scheduler.py"
  }

  assert {
    condition     = !startswith(google_cloud_scheduler_job.reconcile.name, "tminus-")
    error_message = "no recipe's job can have this name"
  }
}

run "alerts" {
  command = plan

  module {
    source = "./modules/queue"
  }

  variables {
    name                      = "tminus-alerts"
    max_dispatches_per_second = 5
    max_concurrent_dispatches = 16
    max_retry_duration        = "86400s"
    min_backoff               = "5s"
    max_backoff               = "600s"
  }

  assert {
    condition     = google_cloud_tasks_queue.this.retry_config[0].max_retry_duration == "${86400 * tonumber(one(regex("PATIENCE = timedelta\\(days=([0-9]+)\\)", file("../functions/domain/alerts/outgoing.py"))))}s"
    error_message = "an alert is tried for as long as functions/domain/alerts/outgoing.py says"
  }

  assert {
    condition     = tonumber(trimsuffix(google_cloud_tasks_queue.this.retry_config[0].max_backoff, "s")) < 60 * tonumber(one(regex("_ALERT_GRACE = timedelta\\(minutes=([0-9]+)\\)", file("../functions/usecases/timeline/reconcile.py"))))
    error_message = "reconciling takes no alert for lost that the queue is still trying"
  }
}

run "without_secrets" {
  command = plan
}

run "secrets_of_alerts" {
  command = plan

  variables {
    secrets = {
      ALERT_WEBHOOKS      = { secret = "alert-webhooks", functions = ["send_alert"] }
      CANCEL_LINK_SECRETS = { secret = "cancel-link", functions = ["send_alert", "console"] }
    }
  }

  assert {
    condition     = local.default_settings["ALERT_CHANNELS"] == "all"
    error_message = "where there is a webhook, every function knows that there is a channel"
  }

  assert {
    condition = setsubtract(output.grants, run.without_secrets.grants) == toset([
      "tminus-console: roles/secretmanager.secretAccessor on secret cancel-link",
      "tminus-send-alert: roles/secretmanager.secretAccessor on secret alert-webhooks",
      "tminus-send-alert: roles/secretmanager.secretAccessor on secret cancel-link",
    ])
    error_message = "only who posts knows where to, and only who signs and who checks know what links are signed with"
  }
}

run "a_webhook_for_everybody" {
  command = plan

  variables {
    secrets = { ALERT_WEBHOOKS = { secret = "alert-webhooks", functions = ["send_alert", "send_shard"] } }
  }

  expect_failures = [var.secrets]
}

run "a_secret_in_the_open" {
  command = plan

  variables {
    settings = { CANCEL_LINK_SECRETS = "12345678901234567890123456789012" }
  }

  expect_failures = [var.settings]
}
