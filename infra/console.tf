# The console, which people reach past Identity-Aware Proxy.

locals {
  console_image = data.google_cloud_run_v2_service.api.template[0].containers[0].image

  # Google makes the proxy's OAuth client where the project belongs to an organisation, and lets in its people. Elsewhere
  # somebody has to make one by hand, because no API does.
  in_organisation = try(coalesce(data.google_project.this.org_id, data.google_project.this.folder_id), "") != ""
  console_sign_in = (
    var.console_oauth_client ? "your own OAuth client" :
    local.in_organisation ? "Google's OAuth client, for people of the project's organisation" :
    "nobody: the project belongs to no organisation, and has no OAuth client of its own"
  )
}

check "console_oauth_client" {
  assert {
    condition     = local.in_organisation || var.console_oauth_client
    error_message = "Nobody can sign in to the console yet: the project belongs to no organisation, so Identity-Aware Proxy needs an OAuth client that you make by hand. docs/how-to-deploy.md says how, under `The console`; then set console_oauth_client = true."
  }
}

# The service that Cloud Functions makes of the function `api`: it says which image was built last. Terraform reads it after
# the function has changed, so that a new source, or an earlier one, reaches the console in the same apply.
data "google_cloud_run_v2_service" "api" {
  depends_on = [module.function]

  project  = var.project_id
  location = var.location
  name     = module.function["api"].name
}

module "console" {
  source     = "./modules/console"
  depends_on = [google_project_service.this, module.identity, module.firestore]

  project_id         = var.project_id
  project_number     = data.google_project.this.number
  location           = var.location
  cpu                = local.functions["console"].cpu
  memory             = local.functions["console"].memory
  concurrency        = local.functions["console"].concurrency
  timeout_seconds    = local.functions["console"].timeout_seconds
  max_instances      = local.functions["console"].max_instances
  service_account    = module.identity.functions["console"]
  image              = local.console_image
  vpc_connector      = local.functions["console"].queries ? var.vpc_connector : null
  environment        = merge(local.default_settings, var.settings, local.environment)
  secret_environment = { for name, secret in var.secrets : name => secret.secret if contains(secret.functions, "console") }
  users              = join(",", [for email, role in var.console_users : "${email}:${role}"])
  visitors           = distinct(concat([for email, _ in var.console_users : "user:${email}"], var.console_visitors))
}
