output "metrics" {
  description = "Names of the log-based metrics."
  value       = [for metric in google_logging_metric.this : metric.name]
}
