# Which channel gets which alert. Messages to phones are counted by FCM's own API metric, so that neither the send rate nor the
# failure rate depends on what the functions log; other systems that send from the same project are in it too.

locals {
  fcm_requests = "serviceruntime_googleapis_com:api_request_count{monitored_resource=\"consumed_api\",service=\"fcm.googleapis.com\"}"
  fcm_failures = "serviceruntime_googleapis_com:api_request_count{monitored_resource=\"consumed_api\",service=\"fcm.googleapis.com\",response_code_class!=\"2xx\"}"

  # The default of a recipe's alertThresholds.failureRate, and the fewest attempts that it is judged by.
  failure_rate    = 0.1
  fewest_attempts = 50

  # Of the kinds of alerts these only tell; all others stopped something.
  telling = [
    "audience_ready", "test_sent", "live_started", "finished", "cancelled", "stopped",
    "audience_alert", "short_cancellation_window", "reconcile_drift",
  ]

  late_milliseconds = 5 * 60 * 1000

  # A call has six attempts. One that fails is not yet trouble.
  reconcile_failures = 3
}

resource "google_monitoring_alert_policy" "failed_execution" {
  project               = var.project_id
  display_name          = "Tminus: an execution failed, or a step was given up"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notification_channels
  depends_on            = [google_logging_metric.this]

  conditions {
    display_name = "An execution ended failed, blocked or expired; a step was given up; a safeguard stopped something"

    condition_matched_log {
      filter = join(" AND ", [local.functions_log, "(${join(" OR ", [
        "(jsonPayload.action=\"step_done\" AND jsonPayload.function=\"finish\" AND jsonPayload.state=~\"^(failed|blocked|expired)$\")",
        "jsonPayload.action=\"gave_up\"",
        "(jsonPayload.action=\"alert\" AND NOT jsonPayload.kind=~\"^(${join("|", local.telling)})$\")",
      ])})"])
      label_extractors = {
        execution = "EXTRACT(jsonPayload.execution)"
        function  = "EXTRACT(jsonPayload.function)"
        state     = "EXTRACT(jsonPayload.state)"
        kind      = "EXTRACT(jsonPayload.kind)"
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Execution `$${log.extracted_label.execution}`: look at its violations in Firestore, or at the log of the function `$${log.extracted_label.function}`."
  }
}

resource "google_monitoring_alert_policy" "reconcile_silent" {
  project               = var.project_id
  display_name          = "Tminus: reconcile has been silent for 15 minutes"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels

  conditions {
    display_name = "No request to reconcile was answered 2xx"

    condition_absent {
      filter   = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"tminus-reconcile\" AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"2xx\""
      duration = "900s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Schedules are not corrected, missed sends not launched, and lost tasks not recreated. Look at the job `${var.reconcile_job}` in Cloud Scheduler and at the log of `tminus-reconcile`."
  }
}

resource "google_monitoring_alert_policy" "reconcile_failing" {
  project               = var.project_id
  display_name          = "Tminus: calls of reconcile fail"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels
  depends_on            = [google_logging_metric.reconcile_failures]

  conditions {
    display_name = "More than ${local.reconcile_failures} attempts failed in 15 minutes"

    condition_prometheus_query_language {
      query                     = "sum(increase(logging_googleapis_com:user_tminus_reconcile_failures{monitored_resource=\"cloud_scheduler_job\"}[15m])) > ${local.reconcile_failures}"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # a metric of a log is known only some minutes after it was made
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Schedules are not corrected, missed sends not launched, and lost tasks not recreated. The log of the job `${var.reconcile_job}` in Cloud Scheduler says why: 403 is a missing `roles/run.invoker`, 404 a function that is not there, 5xx is in the log of `tminus-reconcile`."
  }
}

resource "google_monitoring_alert_policy" "failure_rate" {
  project               = var.project_id
  display_name          = "Tminus: FCM does not take too many of the messages"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notification_channels

  conditions {
    display_name = "More than ${local.failure_rate * 100}% of at least ${local.fewest_attempts} messages in five minutes"

    condition_prometheus_query_language {
      query                     = "sum(increase(${local.fcm_failures}[5m])) / sum(increase(${local.fcm_requests}[5m])) > ${local.failure_rate} and sum(increase(${local.fcm_requests}[5m])) >= ${local.fewest_attempts}"
      duration                  = "60s"
      evaluation_interval       = "60s"
      disable_metric_validation = true # before the first message there is no such metric
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "docs/how-to-send-through-fcm.md says what each of FCM's answers means. 4xx are mostly dead tokens, 429 is the quota, 5xx is FCM."
  }
}

resource "google_monitoring_alert_policy" "late" {
  project               = var.project_id
  display_name          = "Tminus: tasks are late"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = var.notification_channels

  conditions {
    display_name = "Tasks start more than five minutes after they were due"

    condition_threshold {
      filter          = "resource.type=\"cloud_tasks_queue\" AND resource.labels.queue_id=monitoring.regex.full_match(\"${join("|", values(var.queues))}\") AND metric.type=\"cloudtasks.googleapis.com/queue/task_attempt_delays\""
      comparison      = "COMPARISON_GT"
      threshold_value = local.late_milliseconds
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_PERCENTILE_99"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.labels.queue_id"]
      }
    }
  }

  # Tasks of steps wait for days; those of shards are added when they are due, so a full queue is a backlog.
  conditions {
    display_name = "Shards have been waiting for half an hour"

    condition_threshold {
      filter          = "resource.type=\"cloud_tasks_queue\" AND resource.labels.queue_id=\"${var.queues["shards"]}\" AND metric.type=\"cloudtasks.googleapis.com/queue/depth\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "1800s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MIN"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A live phase later than `settings.maxLatenessMinutes` expires instead of sending. Look whether a queue is paused, and at what its tasks are answered."
  }
}
