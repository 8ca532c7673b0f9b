# Alerts reach people, and dashboards show what they need.

mock_provider "google" {}

variables {
  project_id            = "kicks-test"
  notification_channels = ["projects/kicks-test/notificationChannels/1"]
  reconcile_job         = "reconcile-tminus"
  queues                = { steps = "tminus-steps", shards = "tminus-shards" }
}

run "alerts" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = alltrue([
      for policy in [
        google_monitoring_alert_policy.failed_execution, google_monitoring_alert_policy.reconcile_silent, google_monitoring_alert_policy.reconcile_failing,
        google_monitoring_alert_policy.failure_rate, google_monitoring_alert_policy.late,
      ] : policy.notification_channels == tolist(var.notification_channels)
    ])
    error_message = "every alert reaches the channels"
  }

  assert {
    condition     = google_monitoring_alert_policy.reconcile_silent.conditions[0].condition_absent[0].duration == "900s"
    error_message = "reconcile is missed after 15 minutes"
  }

  assert {
    condition     = strcontains(google_logging_metric.reconcile_failures.filter, "cloud_scheduler_job") && strcontains(google_monitoring_alert_policy.reconcile_failing.conditions[0].condition_prometheus_query_language[0].query, replace(google_logging_metric.reconcile_failures.name, "/", "_"))
    error_message = "a reconcile that has never worked is noticed by its failures"
  }

  assert {
    condition     = alltrue([for policy in [google_monitoring_alert_policy.reconcile_failing, google_monitoring_alert_policy.failure_rate] : policy.conditions[0].condition_prometheus_query_language[0].disable_metric_validation])
    error_message = "a policy can be made before its metric has a first value"
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.failed_execution.conditions[0].condition_matched_log[0].filter, "failed|blocked|expired")
    error_message = "executions that ended badly raise an alert"
  }

  assert {
    condition     = length(google_monitoring_alert_policy.late.conditions) == 2
    error_message = "late tasks and a backlog raise an alert"
  }
}

run "log_fields" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  # Every action that is counted is one that the code logs; `alert` is logged by the adapter that plays Alerts.
  assert {
    condition = alltrue([
      for action in setsubtract([for metric in values(local.metrics) : one(regex("action=\"([a-z_]+)\"", metric.filter))], ["alert"]) :
      anytrue([for file in setunion(fileset("..", "functions/handlers/{http,jobs}/*.py"), fileset("..", "functions/handlers/console/cancel/*.py")) : strcontains(file("../${file}"), "\"action\": \"${action}\"")])
    ])
    error_message = "an action that is counted is no longer logged in functions/handlers"
  }
}

run "dashboard" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = alltrue([
      for title in ["Executions by the state", "Messages a second", "Share of messages that FCM did not take", "Lateness"] :
      anytrue([for tile in jsondecode(google_monitoring_dashboard.this.dashboard_json).mosaicLayout.tiles : strcontains(tile.widget.title, title)])
    ])
    error_message = "states, send rate, failure rate and lateness are on the dashboard"
  }

  assert {
    condition     = !strcontains(google_monitoring_dashboard.this.dashboard_json, "null")
    error_message = "a chart asks one kind of question; the API would drop the empty other, and Terraform see a change"
  }
}
