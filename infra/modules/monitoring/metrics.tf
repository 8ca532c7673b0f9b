# What is counted in the functions' logs. Each line is one JSON object (functions/logs.py); Cloud Logging makes it the
# entry's jsonPayload.

locals {
  functions_log = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^tminus-\""

  metrics = {
    executions = {
      description = "Executions that were cleaned up, by the state they ended in"
      filter      = "jsonPayload.action=\"step_done\" AND jsonPayload.function=\"finish\""
      labels      = { state = "jsonPayload.state" }
    }
    launched = {
      description = "Executions that a scheduler's firing started, or found started, by their state"
      filter      = "jsonPayload.action=\"launched\""
      labels      = { state = "jsonPayload.state" }
    }
    delivered_again = {
      description = "Requests that asked to be delivered again, by the reason"
      filter      = "jsonPayload.action=\"deliver_again\""
      labels      = { function = "jsonPayload.function", error = "jsonPayload.error" }
    }
    given_up = {
      description = "Steps that a repetition cannot fix, by the reason"
      filter      = "jsonPayload.action=\"gave_up\""
      labels      = { function = "jsonPayload.function", error = "jsonPayload.error" }
    }
    refused = {
      description = "Requests that did not come from where they should, by the status they got"
      filter      = "jsonPayload.action=\"refused\""
      labels      = { status = "jsonPayload.status" }
    }
    alerts = {
      description = "Alerts, by kind"
      filter      = "jsonPayload.action=\"alert\""
      labels      = { kind = "jsonPayload.kind" }
    }
  }
}

# Attempts of Cloud Scheduler to call reconcile that failed. An absence can only be noticed after a first success.
resource "google_logging_metric" "reconcile_failures" {
  project     = var.project_id
  name        = "tminus/reconcile_failures"
  description = "Calls of reconcile that failed"
  filter      = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"${var.reconcile_job}\" AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_logging_metric" "this" {
  for_each = local.metrics

  project     = var.project_id
  name        = "tminus/${each.key}"
  description = each.value.description
  filter      = "${local.functions_log} AND ${each.value.filter}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  label_extractors = { for name, field in each.value.labels : name => "EXTRACT(${field})" }
}
