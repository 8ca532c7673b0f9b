# What is deployed: main.py, requirements.txt, functions/, audience_jobs/ and the workspace, in an archive named by its
# content.

locals {
  tree = "${path.module}/.."
  source_files = [
    for file in setunion(
      ["main.py", "requirements.txt"],
      fileset(local.tree, "functions/**"),
      fileset(local.tree, "audience_jobs/**"),
    ) : file if !can(regex("(^|/)(__pycache__/|\\.)|\\.pyc$", file))
  ]
  source_archive = coalesce(var.source_archive, one(google_storage_bucket_object.source[*].name))

  # The workspace's name in the archive: functions find it in the folder that they start in.
  workspace       = "workspace"
  workspace_files = merge([for found in module.workspace : { for name, content in found.files : "${local.workspace}/${name}" => content }]...)
}

module "workspace" {
  source = "./modules/workspace"
  count  = var.workspace == null ? 0 : 1

  folder      = var.workspace
  check       = var.source_archive == null && var.check_workspace
  environment = merge(var.settings, local.user_data)
}

data "archive_file" "source" {
  type             = "zip"
  output_path      = "${path.root}/.terraform/tminus-source.zip"
  output_file_mode = "0644" # else the umask of the machine would change the hash

  dynamic "source" {
    for_each = local.source_files

    content {
      filename = source.value
      content  = file("${local.tree}/${source.value}")
    }
  }

  dynamic "source" {
    for_each = local.workspace_files

    content {
      filename = source.key
      content  = source.value
    }
  }
}

resource "google_storage_bucket_object" "source" {
  count      = var.source_archive == null ? 1 : 0
  depends_on = [module.workspace] # a workspace that fails its check is not uploaded

  bucket = module.storage.source_bucket
  name   = "source/${data.archive_file.source.output_sha256}.zip"
  source = data.archive_file.source.output_path

  # Earlier archives stay in the bucket, so that any of them can be deployed again.
  deletion_policy = "ABANDON"
}

resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:The images hold the code and no data; keys managed by Google are enough
  depends_on = [google_project_service.this]

  project       = var.project_id
  location      = var.location
  repository_id = "tminus"
  description   = "Images that Cloud Build makes of the functions"
  format        = "DOCKER"

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "2592000s" # 30 days
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = var.project_id
  location   = var.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:${module.identity.builder}"
}
