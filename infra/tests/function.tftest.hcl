# What a function is deployed with arrives from the table, and nothing is left to a default.

mock_provider "google" {}

variables {
  project_id       = "kicks-test"
  location         = "us-central1"
  entry_point      = "send_shard"
  cpu              = "1"
  memory           = "512Mi"
  concurrency      = 1
  timeout_seconds  = 600
  max_instances    = 10
  ingress          = "ALLOW_INTERNAL_ONLY"
  service_account  = "tminus-send-shard@kicks-test.iam.gserviceaccount.com"
  invokers         = ["tminus-task-caller@kicks-test.iam.gserviceaccount.com"]
  builder          = "tminus-builder@kicks-test.iam.gserviceaccount.com"
  image_repository = "projects/kicks-test/locations/us-central1/repositories/tminus"
  source_bucket    = "kicks-test-tminus-source"
  source_archive   = "source/0123.zip"
  environment      = { PUSH_SENDER = "fcm" }
}

run "explicit" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    secret_environment = { DATABASE_URL = "database-url" }
  }

  assert {
    condition = alltrue([
      google_cloudfunctions2_function.this.service_config[0].available_cpu == "1",
      google_cloudfunctions2_function.this.service_config[0].available_memory == "512Mi",
      google_cloudfunctions2_function.this.service_config[0].max_instance_request_concurrency == 1,
      google_cloudfunctions2_function.this.service_config[0].timeout_seconds == 600,
      google_cloudfunctions2_function.this.service_config[0].min_instance_count == 0,
      google_cloudfunctions2_function.this.service_config[0].max_instance_count == 10,
      google_cloudfunctions2_function.this.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY",
    ])
    error_message = "memory, CPU, concurrency, timeout, instances and ingress are those of the table"
  }

  assert {
    condition     = google_cloudfunctions2_function.this.service_config[0].service_account_email == var.service_account
    error_message = "the function runs as its own account"
  }

  assert {
    condition     = google_cloudfunctions2_function.this.build_config[0].service_account == "projects/kicks-test/serviceAccounts/tminus-builder@kicks-test.iam.gserviceaccount.com"
    error_message = "the image is built by the builder, not by the project's default account"
  }

  assert {
    condition     = google_cloudfunctions2_function.this.build_config[0].entry_point == "send_shard" && google_cloudfunctions2_function.this.name == "tminus-send-shard"
    error_message = "the entry point is the function's name in Python"
  }

  assert {
    condition     = one(values(google_cloud_run_v2_service_iam_member.invoker)).member == "serviceAccount:${var.invokers[0]}" && one(values(google_cloud_run_v2_service_iam_member.invoker)).name == "tminus-send-shard"
    error_message = "only the caller may invoke the function"
  }

  assert {
    condition     = one(google_cloudfunctions2_function.this.service_config[0].secret_environment_variables).secret == "database-url" && !contains(keys(google_cloudfunctions2_function.this.service_config[0].environment_variables), "DATABASE_URL")
    error_message = "a secret is named, its value is nowhere"
  }
}

run "without_a_caller" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    invokers = []
  }

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.invoker) == 0
    error_message = "no account can call a function without a caller"
  }
}
