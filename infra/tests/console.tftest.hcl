# Only named people reach the console, and only through Identity-Aware Proxy.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789" }
  }
}

mock_provider "google-beta" {}
mock_provider "archive" {}

variables {
  project_id       = "kicks-test"
  location         = "us-central1"
  console_users    = { "ana@kicks.example" = "operator", "ben@kicks.example" = "viewer" }
  console_visitors = ["group:growth@kicks.example"]
  secrets          = { CONSOLE_KEY = { secret = "console-key", functions = ["console"] } }
}

run "proxy" {
  command = plan

  assert {
    condition     = module.console.service.iap_enabled
    error_message = "Identity-Aware Proxy stands before the console"
  }

  assert {
    condition     = module.console.audience == "/projects/123456789/locations/us-central1/services/tminus-console"
    error_message = "the console takes assertions that are made out to its own service"
  }

  assert {
    condition     = { for each in module.console.service.template[0].containers[0].env : each.name => each.value if contains(["IAP_AUDIENCE", "CONSOLE_USERS"], each.name) } == { IAP_AUDIENCE = "/projects/123456789/locations/us-central1/services/tminus-console", CONSOLE_USERS = "ana@kicks.example:operator,ben@kicks.example:viewer" }
    error_message = "the console knows its people and their roles"
  }

  assert {
    condition     = module.console.visitors == toset(["group:growth@kicks.example", "user:ana@kicks.example", "user:ben@kicks.example"])
    error_message = "the proxy lets in named members only"
  }

  assert {
    condition     = one([for each in module.console.service.template[0].containers[0].env : each.value_source[0].secret_key_ref[0].secret if each.name == "CONSOLE_KEY"]) == "console-key"
    error_message = "the key that signs forms is a secret"
  }
}

run "nobody_without_a_name" {
  command = plan

  variables {
    console_visitors = ["allUsers"]
  }

  expect_failures = [var.console_visitors]
}
