# Two buckets: what executions write, and what is deployed.

resource "google_storage_bucket" "audiences" {
  #checkov:skip=CKV_GCP_62:Access is in Cloud Audit Logs where a team turns on data access logs; a log bucket would double it
  #checkov:skip=CKV_GCP_78:Device tokens have to be gone once they are deleted, and files are written once
  project                     = var.project_id
  name                        = var.audience_bucket
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = false
  }

  # Deleted means deleted: Cloud Storage would keep device tokens for another seven days.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # finish deletes device tokens ten minutes after the last push; this is for what it never came to.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 7
      matches_prefix = ["devices/"]
    }
  }

  # build_audience removes what BigQuery exported as soon as it has read it; this is for what a crash leaves.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 1
      matches_prefix = ["exports/"]
    }
  }

  # api reads it within minutes of the upload, and stores the audience on its own.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 1
      matches_prefix = ["uploads/"]
    }
  }

  # Lists that people upload in the console. A send stores its audience on its own.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 1
      matches_prefix = ["lists/"]
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = var.audience_retention_days
      matches_prefix = ["audiences/"]
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = var.receipt_retention_days
      matches_prefix = ["receipts/"]
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:It holds the code and no data; who deploys is in the audit log of Cloud Functions
  project                     = var.project_id
  name                        = var.source_bucket
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }
}
