variable "project_id" {
  description = "The project."
  type        = string
}

variable "database" {
  description = "The database's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database))
    error_message = "database must have 4 to 63 lower case letters, digits and hyphens; (default) belongs to the app and its rules."
  }
}

variable "location" {
  description = "The database's location; it cannot be changed later."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted."
  type        = bool
}
