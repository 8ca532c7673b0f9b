# The deployment that reaches customers. docs/how-to-deploy.md says how to start.

terraform {
  required_version = ">= 1.9"

  # terraform init -backend-config=bucket=BUCKET
  backend "gcs" {
    prefix = "tminus/prod"
  }

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 6.50, < 8"
    }
  }
}

# Requests count against the quota of the project itself, also those that a person's own credentials make: Firebase Rules
# and others refuse such credentials without a quota project.
provider "google" {
  project               = var.project_id
  region                = var.location
  billing_project       = var.project_id
  user_project_override = true
  default_labels        = { app = "tminus", environment = "prod" }
}

provider "google-beta" {
  project               = var.project_id
  region                = var.location
  billing_project       = var.project_id
  user_project_override = true
}

module "tminus" {
  source = "../.."

  project_id            = var.project_id
  location              = var.location
  api_callers           = var.api_callers
  settings              = var.settings
  secrets               = var.secrets
  user_dataset          = var.user_dataset
  workspace             = var.workspace
  check_workspace       = var.check_workspace
  console_users         = var.console_users
  console_visitors      = var.console_visitors
  console_oauth_client  = var.console_oauth_client
  vpc_connector         = var.vpc_connector
  notification_channels = var.notification_channels
  source_archive        = var.source_archive
  deletion_protection   = true
}

output "tminus" {
  description = "Addresses, accounts, buckets and queues of the deployment."
  value       = module.tminus
}
