output "audience_bucket" {
  description = "Name of the bucket of audiences, device tokens and receipts."
  value       = google_storage_bucket.audiences.name
}

output "source_bucket" {
  description = "Name of the bucket of source archives."
  value       = google_storage_bucket.source.name
}

output "deployed" {
  description = "What the API should say of the buckets: the resources as it writes them."
  value = [
    for bucket in [google_storage_bucket.audiences, google_storage_bucket.source] : {
      for field, value in {
        name     = bucket.name
        location = upper(bucket.location)
        iamConfiguration = {
          uniformBucketLevelAccess = { enabled = bucket.uniform_bucket_level_access }
          publicAccessPrevention   = bucket.public_access_prevention
        }
        versioning = { enabled = bucket.versioning[0].enabled }
        # The other bucket has Cloud Storage's default.
        softDeletePolicy = bucket.name == var.audience_bucket ? { retentionDurationSeconds = bucket.soft_delete_policy[0].retention_duration_seconds } : null
        lifecycle = length(bucket.lifecycle_rule) == 0 ? null : {
          rule = [
            for rule in bucket.lifecycle_rule : {
              action    = { type = one(rule.action).type }
              condition = { for name, limit in { age = one(rule.condition).age, matchesPrefix = one(rule.condition).matches_prefix } : name => limit if limit != null }
            }
          ]
        }
      } : field => value if value != null
    }
  ]
}
