# Files: nothing public, and what must not be kept is gone.

mock_provider "google" {}

run "buckets" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    project_id              = "kicks-test"
    location                = "us-central1"
    audience_bucket         = "kicks-test-tminus-audiences"
    source_bucket           = "kicks-test-tminus-source"
    audience_retention_days = 90
    receipt_retention_days  = 365
  }

  assert {
    condition     = alltrue([for bucket in [google_storage_bucket.audiences, google_storage_bucket.source] : bucket.uniform_bucket_level_access && bucket.public_access_prevention == "enforced"])
    error_message = "access is decided on the bucket alone, and can never be public"
  }

  assert {
    condition     = google_storage_bucket.audiences.soft_delete_policy[0].retention_duration_seconds == 0 && !google_storage_bucket.audiences.versioning[0].enabled
    error_message = "a deleted device token is gone at once"
  }

  assert {
    condition = {
      for rule in google_storage_bucket.audiences.lifecycle_rule :
      one(coalesce(one(rule.condition).matches_prefix, ["unfinished"])) => "${one(rule.action).type} ${one(rule.condition).age}"
      } == {
      "devices/"   = "Delete 7"
      "exports/"   = "Delete 1"
      "audiences/" = "Delete 90"
      "receipts/"  = "Delete 365"
      "unfinished" = "AbortIncompleteMultipartUpload 1"
      "uploads/"   = "Delete 1"
      "lists/"     = "Delete 1"
    }
    error_message = "each folder has its end"
  }
}
