# Only named people reach the console, and only through Identity-Aware Proxy.

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
    condition     = length(module.console.service.build_config) == 0
    error_message = "Terraform's provider starts no build for a service: the console builds nothing"
  }

  assert {
    condition     = one([for each in module.console.service.template[0].containers[0].env : each.value if each.name == "FUNCTION_TARGET"]) == "console"
    error_message = "of all functions in its image it serves the console"
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

run "image" {
  command = apply

  assert {
    condition     = module.console.service.template[0].containers[0].image == "us-central1-docker.pkg.dev/kicks-test/tminus/tminus--api@sha256:0123"
    error_message = "the console runs the image that the function api was built into, by its digest"
  }

  assert {
    condition     = output.console_image == module.console.service.template[0].containers[0].image
    error_message = "the deployment says which image the console runs"
  }

  assert {
    condition     = data.google_cloud_run_v2_service.api.name == "tminus-api"
    error_message = "the image is that of the service of api"
  }
}

run "without_an_organisation" {
  command = plan

  override_data {
    target = data.google_project.this
    values = { number = "123456789", org_id = "", folder_id = "" }
  }

  expect_failures = [check.console_oauth_client]
}

run "without_an_organisation_but_with_a_client" {
  command = plan

  variables {
    console_oauth_client = true
  }

  override_data {
    target = data.google_project.this
    values = { number = "123456789", org_id = "", folder_id = "" }
  }

  assert {
    condition     = output.console_sign_in == "your own OAuth client"
    error_message = "the deployment says who can sign in"
  }
}

run "in_an_organisation" {
  command = plan

  override_data {
    target = data.google_project.this
    values = { number = "123456789", org_id = "", folder_id = "42" }
  }

  assert {
    condition     = output.console_sign_in == "Google's OAuth client, for people of the project's organisation"
    error_message = "a folder belongs to an organisation"
  }
}
