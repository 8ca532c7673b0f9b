# The console, which people reach past Identity-Aware Proxy.

module "console" {
  source     = "./modules/console"
  depends_on = [google_project_service.this, module.identity, google_artifact_registry_repository_iam_member.builder]

  project_id         = var.project_id
  project_number     = data.google_project.this.number
  location           = var.location
  cpu                = local.functions["console"].cpu
  memory             = local.functions["console"].memory
  concurrency        = local.functions["console"].concurrency
  timeout_seconds    = local.functions["console"].timeout_seconds
  max_instances      = local.functions["console"].max_instances
  service_account    = module.identity.functions["console"]
  builder            = module.identity.builder
  image_repository   = "${var.location}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
  source_bucket      = module.storage.source_bucket
  source_archive     = local.source_archive
  environment        = merge(local.default_settings, var.settings, local.environment)
  secret_environment = { for name, secret in var.secrets : name => secret.secret if contains(secret.functions, "console") }
  users              = join(",", [for email, role in var.console_users : "${email}:${role}"])
  visitors           = distinct(concat([for email, _ in var.console_users : "user:${email}"], var.console_visitors))
}
