# What people look at while campaigns run.

locals {
  log_metric = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/tminus"
  queue      = "resource.type=\"cloud_tasks_queue\" AND resource.labels.queue_id=monitoring.regex.full_match(\"${join("|", values(var.queues))}\") AND metric.type=\"cloudtasks.googleapis.com"

  # Lines of a chart: a filter, how each series is aligned, by what they are grouped.
  charts = [
    {
      title = "Executions by the state they ended in"
      plot  = "STACKED_BAR"
      lines = [{ filter = "${local.log_metric}/executions\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = "metric.label.state", period = "3600s", query = null }]
    },
    {
      title = "Messages a second, by FCM's answer (quota 10,000)"
      plot  = "LINE"
      lines = [{ query = "sum by (response_code_class) (rate(${local.fcm_requests}[1m]))", filter = null, aligner = null, reducer = null, group = null, period = null }]
    },
    {
      title = "Share of messages that FCM did not take"
      plot  = "LINE"
      lines = [{ query = "sum(rate(${local.fcm_failures}[5m])) / sum(rate(${local.fcm_requests}[5m]))", filter = null, aligner = null, reducer = null, group = null, period = null }]
    },
    {
      title = "Lateness: from a task's due time to its start, 99th percentile (ms)"
      plot  = "LINE"
      lines = [{ filter = "${local.queue}/queue/task_attempt_delays\"", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", group = "resource.label.queue_id", period = "60s", query = null }]
    },
    {
      title = "Tasks in the queues, those due later included"
      plot  = "LINE"
      lines = [{ filter = "${local.queue}/queue/depth\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", group = "resource.label.queue_id", period = "60s", query = null }]
    },
    {
      title = "Requests delivered again, by reason"
      plot  = "STACKED_BAR"
      lines = [{ filter = "${local.log_metric}/delivered_again\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = "metric.label.error", period = "300s", query = null }]
    },
    {
      title = "Steps given up, requests refused, alerts"
      plot  = "STACKED_BAR"
      lines = [
        for metric, label in { given_up = "function", refused = "status", alerts = "kind" } :
        { filter = "${local.log_metric}/${metric}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", group = "metric.label.${label}", period = "300s", query = null }
      ]
    },
    {
      title = "Memory of the functions, 99th percentile of what each may use"
      plot  = "LINE"
      lines = [{ filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=monitoring.regex.full_match(\"tminus-.*\") AND metric.type=\"run.googleapis.com/container/memory/utilizations\"", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", group = "resource.label.service_name", period = "60s", query = null }]
    },
  ]
}

resource "google_monitoring_dashboard" "this" {
  depends_on = [google_logging_metric.this]

  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Tminus"
    mosaicLayout = {
      columns = 12
      tiles = concat(
        [
          for position, chart in local.charts : {
            xPos   = 6 * (position % 2)
            yPos   = 4 * floor(position / 2)
            width  = 6
            height = 4
            widget = {
              title = chart.title
              xyChart = {
                dataSets = [
                  for line in chart.lines : {
                    plotType = chart.plot
                    timeSeriesQuery = {
                      for kind, value in {
                        prometheusQuery = line.query
                        timeSeriesFilter = line.filter == null ? null : {
                          filter = line.filter
                          aggregation = {
                            alignmentPeriod    = line.period
                            perSeriesAligner   = line.aligner
                            crossSeriesReducer = line.reducer
                            groupByFields      = [line.group]
                          }
                        }
                      } : kind => value if value != null # the API takes one of the two
                    }
                  }
                ]
              }
            }
          }
        ],
        [{
          xPos   = 0
          yPos   = 4 * ceil(length(local.charts) / 2)
          width  = 12
          height = 4
          widget = {
            title     = "Warnings and errors"
            logsPanel = { filter = "${local.functions_log} AND severity>=WARNING", resourceNames = ["projects/${var.project_id}"] }
          }
        }],
      )
    }
  })
}
