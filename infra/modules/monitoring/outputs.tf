output "metrics" {
  description = "Names of the log-based metrics."
  value       = concat([for metric in google_logging_metric.this : metric.name], [google_logging_metric.reconcile_failures.name])
}
