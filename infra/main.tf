# One deployment of Tminus in one project: wires the modules together. environments/ call it.

locals {
  # The addresses of functions are known before the first is deployed, so each function gets those of the others as
  # settings. The run.app form, not cloudfunctions.net: requests of Cloud Tasks and Cloud Scheduler count as internal
  # there, cloud.google.com/run/docs/securing/ingress, and Cloud Run accepts it as an OIDC audience.
  function_url  = "https://tminus-{function}-${data.google_project.this.number}.${var.location}.run.app"
  function_urls = { for name, _ in local.functions : name => replace(local.function_url, "{function}", replace(name, "_", "-")) }

  # A shard has at most Policy.shard_rows users; starting shards no faster than their messages may leave holds FCM's
  # quota over the minutes even where pacing fails. The price: of ten small pushes that are due in the same second the
  # last starts 20 seconds later. Ten shards at once share the quota out and still end within a minute, ramp included,
  # long before their requests' ten minutes are over.
  shard_rows     = 20000
  shards_at_once = 10

  audience_bucket = "${var.project_id}-tminus-audiences"
  source_bucket   = "${var.project_id}-tminus-source"

  environment = merge({
    TMINUS_PLATFORM         = "gcp"
    GOOGLE_CLOUD_PROJECT    = var.project_id
    GOOGLE_CLOUD_LOCATION   = var.location
    FIRESTORE_DATABASE      = var.firestore_database
    AUDIENCE_BUCKET         = local.audience_bucket
    TASK_QUEUE              = "tminus-steps"
    SHARD_QUEUE             = "tminus-shards"
    ALERT_QUEUE             = "tminus-alerts"
    FUNCTION_URL            = local.function_url
    TASK_CALLER             = module.identity.callers["tasks"]
    SCHEDULER_CALLER        = module.identity.callers["scheduler"]
    OIDC_SIGNATURES         = "removed" # by Cloud Run, which has verified them: roles/run.invoker guards each function
    API_CALLERS             = join(",", [for email, role in var.api_callers : "${email}:${role}"])
    PUSH_SENDER             = "fcm"
    FCM_MESSAGES_PER_SECOND = tostring(var.fcm_messages_per_second)

    # Without it, Cloud Storage's client reads the bucket's metadata once in each process, which no function is allowed to.
    DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA = "true"
  }, local.user_data, var.workspace == null ? {} : { WORKSPACE = local.workspace })
  user_data = var.user_dataset == null ? {} : { USER_DATA = "bigquery", USER_DATASET = var.user_dataset }

  # Addresses of webhooks are a secret of the one function that posts; the others know the channels by name.
  default_settings = contains(keys(var.secrets), "ALERT_WEBHOOKS") ? { ALERT_CHANNELS = "all" } : {}

  # Limits which functions may read a secret, even if a variable names more.
  secret_holders = {
    ALERT_WEBHOOKS      = ["send_alert"]
    CANCEL_LINK_SECRETS = ["send_alert", "console"]
    CONSOLE_KEY         = ["console"]
    USER_DATABASE_URL   = [for name, function in local.functions : name if function.queries]
  }

  # Names of settings that hold secrets, and values that hold a password.
  secret_name  = "SECRET|PASSWORD|TOKEN|CREDENTIAL|KEYS?$|DATABASE_URL$"
  secret_value = "://[^/@\\s]*:[^/@\\s]+@"

  reserved_settings = [
    "TMINUS_PLATFORM", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "FIRESTORE_DATABASE", "AUDIENCE_BUCKET",
    "TASK_QUEUE", "SHARD_QUEUE", "ALERT_QUEUE", "FUNCTION_URL", "TASK_CALLER", "SCHEDULER_CALLER", "OIDC_SIGNATURES",
    "PUSH_SENDER", "FCM_MESSAGES_PER_SECOND", "FCM_CREDENTIALS_FILE", "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA",
    "USER_DATASET", "API_CALLERS", "IAP_AUDIENCE", "CONSOLE_USERS", "WORKSPACE",
  ]

  apis = toset(concat([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "fcm.googleapis.com",
    "firebaserules.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "iap.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ], var.user_dataset != null ? ["bigquery.googleapis.com"] : []))
}

data "google_project" "this" {
  project_id = var.project_id
}

resource "google_project_service" "this" {
  for_each = local.apis

  project            = var.project_id
  service            = each.value
  disable_on_destroy = false # the app may use it too
}

module "identity" {
  source     = "./modules/identity"
  depends_on = [google_project_service.this]

  project_id     = var.project_id
  project_number = data.google_project.this.number
  location       = var.location
  functions      = local.functions
  secrets        = var.secrets
  user_dataset   = var.user_dataset
  user_tables    = one(module.workspace[*].tables)
  database       = module.firestore.database
  bucket         = module.storage.audience_bucket
  source_bucket  = module.storage.source_bucket
  queues         = { steps = module.steps.name, shards = module.shards.name, alerts = module.alerts.name }
}

module "storage" {
  source     = "./modules/storage"
  depends_on = [google_project_service.this]

  project_id              = var.project_id
  location                = var.location
  audience_bucket         = local.audience_bucket
  source_bucket           = local.source_bucket
  audience_retention_days = var.audience_retention_days
  receipt_retention_days  = var.receipt_retention_days
}

module "firestore" {
  source     = "./modules/firestore"
  depends_on = [google_project_service.this]

  project_id          = var.project_id
  database            = var.firestore_database
  location            = coalesce(var.firestore_location, var.location)
  deletion_protection = var.deletion_protection
}

module "steps" {
  source     = "./modules/queue"
  depends_on = [google_project_service.this]

  project_id                = var.project_id
  location                  = var.location
  name                      = local.environment["TASK_QUEUE"]
  max_dispatches_per_second = 10 # every step of MAX_EXECUTIONS_AT_ONCE that is due in the same second
  max_concurrent_dispatches = 50 # five functions, ten instances each
}

module "shards" {
  source     = "./modules/queue"
  depends_on = [google_project_service.this]

  project_id                = var.project_id
  location                  = var.location
  name                      = local.environment["SHARD_QUEUE"]
  max_dispatches_per_second = var.fcm_messages_per_second / local.shard_rows
  max_concurrent_dispatches = local.shards_at_once
}

# A queue of its own: what webhooks are answered slows no step down, and is tried for a day.
module "alerts" {
  source     = "./modules/queue"
  depends_on = [google_project_service.this]

  project_id                = var.project_id
  location                  = var.location
  name                      = local.environment["ALERT_QUEUE"]
  max_dispatches_per_second = 5
  max_concurrent_dispatches = 16 # two instances, eight requests each
  max_retry_duration        = "86400s"
  min_backoff               = "5s"
  max_backoff               = "600s"
}

module "function" {
  source   = "./modules/function"
  for_each = { for name, function in local.functions : name => function if name != "console" }
  # Firestore: a query before its index is there fails.
  depends_on = [google_project_service.this, module.identity, module.firestore, google_artifact_registry_repository_iam_member.builder]

  project_id         = var.project_id
  location           = var.location
  entry_point        = each.key
  cpu                = each.value.cpu
  memory             = each.value.memory
  concurrency        = each.value.concurrency
  timeout_seconds    = each.value.timeout_seconds
  max_instances      = each.value.max_instances
  ingress            = each.value.ingress
  service_account    = module.identity.functions[each.key]
  invokers           = each.value.caller == "programs" ? keys(var.api_callers) : [for caller in [each.value.caller] : module.identity.callers[caller] if caller != null]
  builder            = module.identity.builder
  image_repository   = google_artifact_registry_repository.images.id
  source_bucket      = module.storage.source_bucket
  source_archive     = local.source_archive
  vpc_connector      = each.value.queries ? var.vpc_connector : null
  environment        = merge(local.default_settings, var.settings, local.environment)
  secret_environment = { for name, secret in var.secrets : name => secret.secret if contains(secret.functions, each.key) }
}

module "scheduler" {
  source     = "./modules/scheduler"
  depends_on = [google_project_service.this, module.function] # a job without its function would fail, and raise an alert

  project_id = var.project_id
  location   = var.location
  url        = local.function_urls["reconcile"]
  caller     = module.identity.callers["scheduler"]
}

module "monitoring" {
  source     = "./modules/monitoring"
  depends_on = [google_project_service.this]

  project_id            = var.project_id
  notification_channels = var.notification_channels
  reconcile_job         = module.scheduler.job
  queues                = { steps = module.steps.name, shards = module.shards.name }
}
