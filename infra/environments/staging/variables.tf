variable "project_id" {
  description = "The project."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
  default     = "us-central1"
}

variable "api_callers" {
  description = "Programs that may call the API, and the role of each: ../../variables.tf."
  type        = map(string)
  default     = {}
}

variable "settings" {
  description = "Optional settings of the deployment: docs/how-to-write-a-recipe.md."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Secrets by the environment variable they become: ../../variables.tf."
  type        = map(object({ secret = string, functions = set(string) }))
  default     = {}
}

variable "console_users" {
  description = "Who may visit the console, by e-mail address: viewer, operator or admin."
  type        = map(string)
  default     = {}
}

variable "console_visitors" {
  description = "Who else may pass the console's proxy, such as group:EMAIL."
  type        = list(string)
  default     = []
}

variable "console_oauth_client" {
  description = "Whether the console's proxy uses an OAuth client of your own: ../../variables.tf."
  type        = bool
  default     = false
}

variable "vpc_connector" {
  description = "Serverless VPC Access connector to a database with a private address; null: none."
  type        = string
  default     = null
}

variable "user_dataset" {
  description = "The BigQuery dataset of user data, as project.dataset; null: they are elsewhere."
  type        = string
  default     = null
}

variable "workspace" {
  description = "Folder of the workspace, as a path from this folder; null: the built-in marketplace."
  type        = string
  default     = null
}

variable "check_workspace" {
  description = "Whether tminus check has to pass before a changed workspace is uploaded."
  type        = bool
  default     = true
}

variable "notification_channels" {
  description = "Where alerts go."
  type        = list(string)
  default     = []
}

variable "source_archive" {
  description = "An earlier archive to go back to; null: the working tree."
  type        = string
  default     = null
}
