# The console: a Cloud Run service behind Identity-Aware Proxy that runs the image of a function.
#
# Cloud Functions does not support the proxy, so this is a plain Cloud Run service. It builds nothing: every function's image
# holds the whole main.py, and FUNCTION_TARGET says which function of it is served. The proxy adds a signed assertion of the
# visitor's identity to every request, and the console verifies it; see docs/how-to-secure.md.

locals {
  name     = "tminus-console"
  audience = "/projects/${var.project_number}/locations/${var.location}/services/${local.name}"
}

resource "google_cloud_run_v2_service" "this" {
  provider = google-beta # the proxy is a switch of the beta provider only

  project             = var.project_id
  location            = var.location
  name                = local.name
  description         = "Tminus: the operator console"
  ingress             = "INGRESS_TRAFFIC_ALL"
  iap_enabled         = true
  deletion_protection = false # it holds nothing

  template {
    service_account                  = var.service_account
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency

    scaling {
      min_instance_count = 0
      max_instance_count = var.max_instances
    }

    dynamic "vpc_access" {
      for_each = var.vpc_connector == null ? [] : [var.vpc_connector]

      content {
        connector = vpc_access.value
        egress    = "PRIVATE_RANGES_ONLY"
      }
    }

    containers {
      image = var.image

      resources {
        limits = { cpu = var.cpu, memory = var.memory }
      }

      dynamic "env" {
        for_each = merge(var.environment, { FUNCTION_TARGET = "console", IAP_AUDIENCE = local.audience, CONSOLE_USERS = var.users })

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secret_environment

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }
}

resource "google_project_service_identity" "proxy" {
  provider = google-beta

  project = var.project_id
  service = "iap.googleapis.com"
}

# The proxy alone opens the service; who comes past the proxy is for the list below.
resource "google_cloud_run_v2_service_iam_member" "proxy" {
  project  = var.project_id
  location = var.location
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${var.project_number}@gcp-sa-iap.iam.gserviceaccount.com"

  depends_on = [google_project_service_identity.proxy]
}

resource "google_iap_web_cloud_run_service_iam_member" "visitor" {
  for_each = toset(var.visitors)

  project                = var.project_id
  location               = var.location
  cloud_run_service_name = google_cloud_run_v2_service.this.name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.value
}
