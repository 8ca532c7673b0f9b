output "audience_bucket" {
  description = "Name of the bucket of audiences, device tokens and receipts."
  value       = google_storage_bucket.audiences.name
}

output "source_bucket" {
  description = "Name of the bucket of source archives."
  value       = google_storage_bucket.source.name
}
