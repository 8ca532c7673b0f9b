# What tminus doctor reads: tests/deployment.json is the document of the deployment below, and the tests of tminus doctor start
# from it.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789" }
  }

  mock_data "google_cloud_run_v2_service" {
    defaults = { template = [{ containers = [{ image = "us-central1-docker.pkg.dev/kicks-test/tminus/tminus--api@sha256:0123" }] }] }
  }
}

mock_provider "google-beta" {}

variables {
  project_id       = "kicks-test"
  location         = "us-central1"
  api_callers      = { "robot@kicks-test.iam.gserviceaccount.com" = "operator" }
  console_users    = { "ana@kicks.example" = "operator" }
  console_visitors = ["group:growth@kicks.example"]
  user_dataset     = "kicks-data.shop"
  settings         = { MAX_EXECUTIONS_AT_ONCE = "7" }
  source_archive   = "source/3f2a.zip"
  secrets = {
    ALERT_WEBHOOKS = { secret = "alert-webhooks", functions = ["send_alert"] }
    CONSOLE_KEY    = { secret = "console-key", functions = ["console"] }
  }
}

run "the_document_is_the_recorded_one" {
  command = plan

  assert {
    condition     = jsondecode(google_storage_bucket_object.deployment.content) == jsondecode(file("tests/deployment.json"))
    error_message = "tests/deployment.json is not what these files make: make infra-record writes it again, from: ${base64encode(google_storage_bucket_object.deployment.content)}"
  }

  assert {
    condition     = google_storage_bucket_object.deployment.bucket == "kicks-test-tminus-source" && google_storage_bucket_object.deployment.name == "deployment.json"
    error_message = "tminus doctor finds the document beside the source"
  }

  assert {
    condition = toset(output.grants) == toset([
      for each in local.bindings : join("", [
        endswith(each.member, "@gcp-sa-iap.iam.gserviceaccount.com") ? "iap" : trimprefix(split("@", each.member)[0], "serviceAccount:"),
        ": ", each.role, " on ", each.kind == "project" ? "project" : "${each.kind} ${each.name}",
        each.condition == null ? "" : " where ${each.condition.title}",
      ]) if each.kind != "proxy"
    ])
    error_message = "the document has every right that `grants` has, and no other"
  }

  assert {
    condition     = length(regexall("MAX_EXECUTIONS_AT_ONCE", google_storage_bucket_object.deployment.content)) > 0 && !strcontains(google_storage_bucket_object.deployment.content, "\"7\"")
    error_message = "the document has the names of settings, not their values"
  }
}
