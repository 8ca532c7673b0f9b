# What tminus doctor compares the project with: deployment.json in the source bucket says what Terraform has made, with the
# names and values that Google's APIs have for it. It is made of the resources themselves, so nothing is written twice.
# It has no secret: of secrets it has the ids, and of `settings` the names, because an address may contain a password.

locals {
  bindings = concat(
    module.identity.bindings,
    flatten([for function in module.function : function.bindings]),
    module.console.bindings,
    [{ kind = "repository", name = google_artifact_registry_repository.images.repository_id, role = google_artifact_registry_repository_iam_member.builder.role, member = google_artifact_registry_repository_iam_member.builder.member, condition = null }],
  )

  services = {
    for name, service in merge({ for name, function in module.function : name => function.deployed.service }, { console = module.console.deployed }) :
    name => merge(service, {
      template = merge(service.template, {
        containers = [
          for container in service.template.containers : merge(container, {
            env = [
              for variable in container.env :
              { for field, value in variable : field => value if field != "value" || !contains(keys(var.settings), variable.name) }
            ]
          })
        ]
      })
    })
  }

  deployment = {
    format    = 1
    project   = var.project_id
    number    = tostring(data.google_project.this.number)
    location  = var.location
    apis      = sort(tolist(local.apis))
    accounts  = sort(concat(values(module.identity.functions), values(module.identity.callers), [module.identity.builder]))
    roles     = module.identity.roles
    bindings  = local.bindings
    database  = module.firestore.deployed
    queues    = [module.steps.deployed, module.shards.deployed, module.alerts.deployed]
    job       = module.scheduler.deployed
    recipes   = { url = local.function_urls["launch"], caller = module.identity.callers["scheduler"] }
    secrets   = sort(distinct([for secret in values(var.secrets) : "projects/${var.project_id}/secrets/${secret.secret}"]))
    buckets   = module.storage.deployed
    functions = [for function in module.function : function.deployed.function]
    services  = values(local.services)
    console   = { service = module.console.deployed.name, image_of = module.function["api"].deployed.service.name }
    source    = { bucket = module.storage.source_bucket, object = local.source_archive }
    api       = local.function_urls["api"]
  }
}

resource "google_storage_bucket_object" "deployment" {
  bucket        = module.storage.source_bucket
  name          = "deployment.json"
  content       = jsonencode(local.deployment)
  content_type  = "application/json"
  cache_control = "no-cache"
}
