# Who there is, and what each may do: an account for each function, two that call, one that builds. No keys.

locals {
  # A service account's e-mail follows from its id, so it is known before the account is there.
  functions = { for name, account in google_service_account.function : name => "${account.account_id}@${account.project}.iam.gserviceaccount.com" }
  callers   = { for name, account in google_service_account.caller : name => "${account.account_id}@${account.project}.iam.gserviceaccount.com" }
  builder   = "${google_service_account.builder.account_id}@${google_service_account.builder.project}.iam.gserviceaccount.com"

  enqueues = merge([
    for name, function in var.functions : { for queue in function.enqueues : "${name}/${queue}" => { function = name, queue = queue } }
  ]...)

  # What reads, writes and deletes of a function mean in roles, and the folders in which each holds.
  file_roles = { reads = "roles/storage.objectViewer", writes = "roles/storage.objectCreator", deletes = "roles/storage.objectUser" }
  files = merge([
    for name, function in var.functions : {
      for verb, role in local.file_roles : "${name}/${verb}" => {
        function = name
        role     = role
        folders  = { reads = function.reads, writes = function.writes, deletes = function.deletes }[verb]
      }
    }
  ]...)

  queries = { for name, function in var.functions : name => function if function.queries && var.user_dataset != null }
  tables = var.user_tables == null ? {} : merge([
    for name, _ in local.queries : { for table in var.user_tables : "${name}/${table}" => { function = name, table = table } }
  ]...)

  secrets = merge([
    for variable, secret in var.secrets : { for name in secret.functions : "${name}/${variable}" => { function = name, secret = secret.secret } }
  ]...)
}

resource "google_service_account" "function" {
  for_each = var.functions

  project      = var.project_id
  account_id   = "tminus-${replace(each.key, "_", "-")}"
  display_name = "Tminus ${each.key}"
  description  = "Runs the function ${each.key}"
}

resource "google_service_account" "caller" {
  for_each = { tasks = "tminus-task-caller", scheduler = "tminus-scheduler-caller" }

  project      = var.project_id
  account_id   = each.value
  display_name = "Tminus caller (${each.key})"
  description  = "Opens the functions that Cloud ${title(each.key)} calls, and may do nothing else"
}

resource "google_service_account" "builder" {
  project      = var.project_id
  account_id   = "tminus-builder"
  display_name = "Tminus builder"
  description  = "Cloud Build makes the functions' images as this account"
}

# Every function reads and writes executions; only in this database, not in the app's own.
resource "google_project_iam_member" "database" {
  for_each = var.functions

  project = var.project_id
  role    = "roles/datastore.user"
  member  = "serviceAccount:${local.functions[each.key]}"

  condition {
    title      = "only-${var.database}"
    expression = "resource.name == \"projects/${var.project_id}/databases/${var.database}\""
  }
}

# The predefined role for FCM administers topics and devices too.
resource "google_project_iam_custom_role" "send" {
  project     = var.project_id
  role_id     = "tminusSend"
  title       = "Tminus: send messages"
  permissions = ["cloudmessaging.messages.create"]
}

resource "google_project_iam_member" "sender" {
  for_each = { for name, function in var.functions : name => function if function.sends }

  project = var.project_id
  role    = "projects/${var.project_id}/roles/${google_project_iam_custom_role.send.role_id}"
  member  = "serviceAccount:${local.functions[each.key]}"
}

# A query is a job of the project's, which pays for it; the dataset it reads can be another project's.
resource "google_project_iam_member" "querier" {
  for_each = local.queries

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = "serviceAccount:${local.functions[each.key]}"
}

# Where the tables are known, a function reads their rows, and of the dataset only where it is and what it holds.
resource "google_bigquery_dataset_iam_member" "reader" {
  for_each = local.queries

  project    = regex("^(.+)\\.", var.user_dataset)[0]
  dataset_id = regex("([^.]+)$", var.user_dataset)[0]
  role       = var.user_tables == null ? "roles/bigquery.dataViewer" : "roles/bigquery.metadataViewer"
  member     = "serviceAccount:${local.functions[each.key]}"
}

resource "google_bigquery_table_iam_member" "reader" {
  for_each = local.tables

  project    = regex("^(.+)\\.", var.user_dataset)[0]
  dataset_id = regex("([^.]+)$", var.user_dataset)[0]
  table_id   = each.value.table
  role       = "roles/bigquery.dataViewer"
  member     = "serviceAccount:${local.functions[each.value.function]}"
}

resource "google_cloud_tasks_queue_iam_member" "enqueuer" {
  for_each = local.enqueues

  project  = var.project_id
  location = var.location
  name     = var.queues[each.value.queue]
  role     = "roles/cloudtasks.enqueuer"
  member   = "serviceAccount:${local.functions[each.value.function]}"
}

# An account that adds a task or a scheduler job which calls as another account needs the right to act as that account.
resource "google_service_account_iam_member" "task_caller" {
  for_each = { for name, function in var.functions : name => function if length(function.enqueues) > 0 }

  service_account_id = "projects/${var.project_id}/serviceAccounts/${local.callers["tasks"]}"
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${local.functions[each.key]}"
}

resource "google_service_account_iam_member" "scheduler_caller" {
  for_each = { for name, function in var.functions : name => function if function.schedules == "edit" }

  service_account_id = "projects/${var.project_id}/serviceAccounts/${local.callers["scheduler"]}"
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${local.functions[each.key]}"
}

# Cloud Scheduler has no role for jobs alone, and finish, which removes the job of a recipe that is completed, has no
# business making one.
resource "google_project_iam_custom_role" "schedules" {
  for_each = {
    edit   = ["create", "delete", "enable", "fullView", "get", "list", "pause", "update"] # fullView: to see what a job calls
    remove = ["delete", "get"]
  }

  project     = var.project_id
  role_id     = "tminusSchedules${title(each.key)}"
  title       = "Tminus: ${each.key} scheduler jobs"
  permissions = [for verb in each.value : "cloudscheduler.jobs.${verb}"]
}

resource "google_project_iam_member" "schedules" {
  for_each = { for name, function in var.functions : name => function if function.schedules != null }

  project = var.project_id
  role    = "projects/${var.project_id}/roles/${google_project_iam_custom_role.schedules[each.value.schedules].role_id}"
  member  = "serviceAccount:${local.functions[each.key]}"
}

resource "google_storage_bucket_iam_member" "files" {
  for_each = { for key, grant in local.files : key => grant if length(grant.folders) > 0 }

  bucket = var.bucket
  role   = each.value.role
  member = "serviceAccount:${local.functions[each.value.function]}"

  condition {
    title = "only-${replace(join("", each.value.folders), "/", "-")}folders"
    expression = join(" || ", [
      for folder in each.value.folders : "resource.name.startsWith(\"projects/_/buckets/${var.bucket}/objects/${folder}\")"
    ])
  }
}

# Deleting a folder means listing it, which is a right on the bucket: names only, no contents.
resource "google_storage_bucket_iam_member" "lister" {
  for_each = { for name, function in var.functions : name => function if length(function.deletes) > 0 }

  bucket = var.bucket
  role   = "roles/storage.legacyBucketReader"
  member = "serviceAccount:${local.functions[each.key]}"
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secrets

  project   = var.project_id
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${local.functions[each.value.function]}"
}

# The builder writes logs and images (beside the repository), and reads the source where Cloud Functions puts it.
resource "google_project_iam_member" "builder_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = "serviceAccount:${local.builder}"
}

resource "google_project_iam_member" "builder_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = "serviceAccount:${local.builder}"

  condition {
    title = "only-function-sources"
    expression = join(" || ", [
      for bucket in ["gcf-v2-sources-${var.project_number}-${var.location}", var.source_bucket] :
      "resource.name.startsWith(\"projects/_/buckets/${bucket}\")"
    ])
  }
}
