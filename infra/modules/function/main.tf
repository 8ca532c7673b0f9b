# One function: Cloud Run functions, second generation, and who may call it.

locals {
  name = "tminus-${replace(var.entry_point, "_", "-")}"
}

resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124:The API and the console are called from outside; who calls is checked there, and by the function
  project     = var.project_id
  location    = var.location
  name        = local.name
  description = "Tminus: ${var.entry_point}"

  build_config {
    runtime           = "python311" # the version that the pins of requirements.txt are made and tested with
    entry_point       = var.entry_point
    service_account   = "projects/${var.project_id}/serviceAccounts/${var.builder}"
    docker_repository = var.image_repository

    source {
      storage_source {
        bucket = var.source_bucket
        object = var.source_archive
      }
    }
  }

  service_config {
    available_cpu                    = var.cpu
    available_memory                 = var.memory
    max_instance_request_concurrency = var.concurrency
    timeout_seconds                  = var.timeout_seconds
    min_instance_count               = 0
    max_instance_count               = var.max_instances
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true
    service_account_email            = var.service_account
    environment_variables            = var.environment
    vpc_connector                    = var.vpc_connector
    vpc_connector_egress_settings    = var.vpc_connector == null ? null : "PRIVATE_RANGES_ONLY"

    dynamic "secret_environment_variables" {
      for_each = var.secret_environment

      content {
        key        = secret_environment_variables.key
        project_id = var.project_id
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = toset(var.invokers)

  project  = var.project_id
  location = var.location
  name     = google_cloudfunctions2_function.this.name # the service has the function's name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${each.value}"
}
