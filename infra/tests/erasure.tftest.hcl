# Erasing users: the function api deletes files only where it is told to erase users.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789" }
  }
}

mock_provider "google-beta" {}
mock_provider "archive" {}

variables {
  project_id  = "kicks-test"
  location    = "us-central1"
  erase_users = true
  secrets     = { USER_HASH_KEY = { secret = "user-hash-key", functions = ["api"] } }
}

run "with_a_key" {
  command = plan

  assert {
    condition     = contains(output.grants, "tminus-api: roles/storage.objectUser on bucket kicks-test-tminus-audiences where only-audiences-devices-receipts-folders")
    error_message = "where users can be erased, the API may delete audiences and receipts"
  }
}

run "for_another_function" {
  command = plan

  variables {
    secrets = { USER_HASH_KEY = { secret = "user-hash-key", functions = ["launch"] } }
  }

  expect_failures = [var.secrets]
}

run "kept_too_short" {
  command = plan

  variables {
    audience_retention_days = 29
    receipt_retention_days  = 1096
  }

  expect_failures = [var.audience_retention_days, var.receipt_retention_days]
}
