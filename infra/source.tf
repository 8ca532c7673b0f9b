# What is deployed: an archive in the source bucket, named by the hash of its files.

locals {
  source_archive = coalesce(var.source_archive, one(google_storage_bucket_object.source[*].name))
  workspace      = "workspace" # its name in the archive: functions find it in the folder that they start in
}

module "workspace" {
  source = "./modules/workspace"
  count  = var.workspace == null ? 0 : 1

  folder      = var.workspace
  check       = var.source_archive == null && var.check_workspace
  environment = merge(var.settings, local.user_data)
}

module "source" {
  source     = "./modules/source"
  depends_on = [module.workspace] # a workspace that fails its check is neither packed nor uploaded

  tree            = "${path.module}/.."
  workspace       = local.workspace
  workspace_files = merge([for found in module.workspace : found.files]...)
  folder          = "${path.root}/.terraform"
  pack            = var.source_archive == null
}

resource "google_storage_bucket_object" "source" {
  count = var.source_archive == null ? 1 : 0

  bucket = module.storage.source_bucket
  name   = module.source.name
  source = module.source.archive

  # Earlier archives stay in the bucket, so that any of them can be deployed again.
  deletion_policy = "ABANDON"

  # The name says what is in it. A machine that did not pack the archive has no copy to compare with.
  lifecycle {
    ignore_changes = [detect_md5hash]
  }
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
