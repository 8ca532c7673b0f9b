output "functions" {
  description = "E-mail of each function's account."
  value       = local.functions
}

output "callers" {
  description = "E-mails of the accounts that Cloud Tasks and Cloud Scheduler call as."
  value       = local.callers
}

output "builder" {
  description = "E-mail of the account that Cloud Build runs as."
  value       = local.builder
}

output "grants" {
  description = "Everything that these accounts may do, each as `account: role on what, where`."
  value = sort([
    for grant in concat(
      [for member in values(google_project_iam_member.database) : [member, "project"]],
      [for member in values(google_project_iam_member.sender) : [member, "project"]],
      [for member in values(google_project_iam_member.schedules) : [member, "project"]],
      [for member in values(google_project_iam_member.querier) : [member, "project"]],
      [for member in values(google_bigquery_dataset_iam_member.reader) : [member, "dataset ${member.project}.${member.dataset_id}"]],
      [for member in values(google_bigquery_table_iam_member.reader) : [member, "table ${member.project}.${member.dataset_id}.${member.table_id}"]],
      [for member in [google_project_iam_member.builder_logs, google_project_iam_member.builder_source] : [member, "project"]],
      [for member in values(google_cloud_tasks_queue_iam_member.enqueuer) : [member, "queue ${member.name}"]],
      [for member in values(google_service_account_iam_member.task_caller) : [member, "account ${member.service_account_id}"]],
      [for member in values(google_service_account_iam_member.scheduler_caller) : [member, "account ${member.service_account_id}"]],
      [for member in values(google_storage_bucket_iam_member.files) : [member, "bucket ${member.bucket}"]],
      [for member in values(google_storage_bucket_iam_member.lister) : [member, "bucket ${member.bucket}"]],
      [for member in values(google_secret_manager_secret_iam_member.reader) : [member, "secret ${member.secret_id}"]],
    ) :
    join("", [
      trimprefix(split("@", grant[0].member)[0], "serviceAccount:"),
      ": ", grant[0].role, " on ", grant[1],
      length(try(grant[0].condition, [])) > 0 ? " where ${grant[0].condition[0].title}" : "",
    ])
  ])
}

output "roles" {
  description = "What the API should say of the custom roles: the resources as it writes them."
  value = [
    for role in concat(values(google_project_iam_custom_role.schedules), [google_project_iam_custom_role.send]) :
    { name = "projects/${var.project_id}/roles/${role.role_id}", includedPermissions = sort(role.permissions) }
  ]
}

output "bindings" {
  description = "The bindings behind `grants`: what each is on, and its condition."
  value = [
    for each in concat(
      [for member in values(google_project_iam_member.database) : { kind = "project", name = var.project_id, member = member }],
      [for member in values(google_project_iam_member.sender) : { kind = "project", name = var.project_id, member = member }],
      [for member in values(google_project_iam_member.schedules) : { kind = "project", name = var.project_id, member = member }],
      [for member in values(google_project_iam_member.querier) : { kind = "project", name = var.project_id, member = member }],
      [for member in values(google_bigquery_dataset_iam_member.reader) : { kind = "dataset", name = "${member.project}.${member.dataset_id}", member = member }],
      [for member in values(google_bigquery_table_iam_member.reader) : { kind = "table", name = "${member.project}.${member.dataset_id}.${member.table_id}", member = member }],
      [for member in [google_project_iam_member.builder_logs, google_project_iam_member.builder_source] : { kind = "project", name = var.project_id, member = member }],
      [for member in values(google_cloud_tasks_queue_iam_member.enqueuer) : { kind = "queue", name = member.name, member = member }],
      [for member in values(google_service_account_iam_member.task_caller) : { kind = "account", name = member.service_account_id, member = member }],
      [for member in values(google_service_account_iam_member.scheduler_caller) : { kind = "account", name = member.service_account_id, member = member }],
      [for member in values(google_storage_bucket_iam_member.files) : { kind = "bucket", name = member.bucket, member = member }],
      [for member in values(google_storage_bucket_iam_member.lister) : { kind = "bucket", name = member.bucket, member = member }],
      [for member in values(google_secret_manager_secret_iam_member.reader) : { kind = "secret", name = member.secret_id, member = member }],
    ) :
    {
      kind      = each.kind
      name      = each.name
      role      = each.member.role
      member    = each.member.member
      condition = try({ title = each.member.condition[0].title, expression = each.member.condition[0].expression }, null)
    }
  ]
}
