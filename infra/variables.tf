variable "project_id" {
  description = "The project; it is the Firebase project whose app gets the pushes."
  type        = string
}

variable "location" {
  description = "Region of the functions, queues, scheduler jobs and buckets, such as us-central1."
  type        = string
}

variable "firestore_location" {
  description = "Location of the database, such as nam5 or eur3; null: the region of everything else. It cannot be changed later."
  type        = string
  default     = null
}

variable "firestore_database" {
  description = "Name of the database. Not (default): that one belongs to the app, with rules that let phones in."
  type        = string
  default     = "tminus"
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted, by Terraform too."
  type        = bool
  default     = true
}

variable "fcm_messages_per_second" {
  description = "How much of FCM's quota of 10,000 messages a second Tminus may use; less where other systems send too."
  type        = number
  default     = 10000

  validation {
    condition     = var.fcm_messages_per_second >= 1 && var.fcm_messages_per_second <= 10000
    error_message = "fcm_messages_per_second must be from 1 to 10000, FCM's quota for a project."
  }
}

variable "api_callers" {
  description = "Programs that may call the API: the e-mail of each one's service account, and its role."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for role in values(var.api_callers) : contains(["viewer", "operator", "admin"], role)])
    error_message = "api_callers: a role is viewer, operator or admin."
  }
}

variable "settings" {
  description = "Optional settings of the deployment as environment variables: docs/how-to-write-a-recipe.md lists them."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.settings), local.reserved_settings)) == 0
    error_message = "settings may not set what the deployment itself decides: ${join(", ", local.reserved_settings)}."
  }

  # Terraform writes settings into its state and its plans, and Cloud Run shows them to everybody who may see a service.
  validation {
    condition = alltrue([
      for name, value in var.settings :
      !contains(keys(local.secret_holders), name) && !can(regex(local.secret_name, name)) && !can(regex(local.secret_value, value))
    ])
    error_message = "settings may hold no secret, by its name or as a password in an address. Put such a variable into secrets: ${join(", ", keys(local.secret_holders))} and the like."
  }
}

variable "secrets" {
  description = <<-EOT
    Environment variables whose values are secrets, by their names: the id of a secret in Secret Manager that exists
    already, and the functions that get it, and alone may read it. Values never pass through Terraform.
  EOT
  type = map(object({
    secret    = string
    functions = set(string)
  }))
  default = {}

  validation {
    condition = alltrue([
      for secret in values(var.secrets) : length(setsubtract(secret.functions, keys(local.functions))) == 0
    ])
    error_message = "secrets: functions must be among ${join(", ", keys(local.functions))}."
  }

  validation {
    condition = alltrue([
      for name, secret in var.secrets : length(setsubtract(secret.functions, lookup(local.secret_holders, name, keys(local.functions)))) == 0
    ])
    error_message = "secrets: ${join(", ", [for name, holders in local.secret_holders : "${name} is for ${join(" and ", holders)} only"])}."
  }
}

variable "console_users" {
  description = "Who may visit the console, by e-mail address: viewer, operator or admin. It needs the secret CONSOLE_KEY."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for role in values(var.console_users) : contains(["viewer", "operator", "admin"], role)])
    error_message = "console_users: a role is viewer, operator or admin."
  }
}

variable "console_visitors" {
  description = "Who else may pass the console's proxy, such as group:EMAIL: to follow the cancel links of alerts."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.console_visitors : can(regex("^(user|group|domain|serviceAccount):[^\\s]+$", member))])
    error_message = "console_visitors must be such as group:EMAIL; only named members are let in."
  }
}

variable "console_oauth_client" {
  description = "Whether the console's proxy uses an OAuth client of your own. It must where the project belongs to no organisation, and to let in people of other ones."
  type        = bool
  default     = false
}

variable "vpc_connector" {
  description = "Serverless VPC Access connector, as projects/PROJECT/locations/REGION/connectors/NAME, for functions and the console to reach a database with a private address; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_connector == null || can(regex("^projects/[^/]+/locations/[^/]+/connectors/[^/]+$", coalesce(var.vpc_connector, "a")))
    error_message = "vpc_connector must be projects/PROJECT/locations/REGION/connectors/NAME."
  }
}

variable "user_dataset" {
  description = "The BigQuery dataset of user data as project.dataset, in the region of everything else; null: they are elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.user_dataset == null || can(regex("^[a-z][a-z0-9:.-]{3,99}\\.[A-Za-z0-9_]+$", coalesce(var.user_dataset, "a")))
    error_message = "user_dataset must be project.dataset."
  }
}

variable "audience_retention_days" {
  description = "Days until an audience CSV is deleted."
  type        = number
  default     = 90
}

variable "receipt_retention_days" {
  description = "Days until a receipt, which says what became of each user, is deleted."
  type        = number
  default     = 365
}

variable "notification_channels" {
  description = "Where alerts go: names of Cloud Monitoring channels, projects/PROJECT/notificationChannels/NUMBER."
  type        = list(string)
  default     = []
}

variable "workspace" {
  description = "Folder of the workspace, which has tminus.toml, as a path from the folder that terraform runs in; null: the built-in marketplace."
  type        = string
  default     = null

  validation {
    condition     = var.workspace == null ? true : fileexists("${var.workspace}/tminus.toml")
    error_message = "workspace: there is no tminus.toml in ${coalesce(var.workspace, "it")}. Name the folder of a workspace, as a path from the folder that terraform runs in; tminus init makes one."
  }
}

variable "check_workspace" {
  description = "Whether tminus check has to pass before a changed workspace is uploaded. It reads the user data from this machine."
  type        = bool
  default     = true
}

variable "source_archive" {
  description = "An archive in the source bucket to deploy instead of the working tree, such as source/3f2a....zip; null: the tree."
  type        = string
  default     = null
}
