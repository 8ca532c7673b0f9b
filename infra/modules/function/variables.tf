variable "project_id" {
  description = "The project."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "entry_point" {
  description = "Name of the function in main.py; it is deployed as tminus- and that name with hyphens."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z_]{0,20}$", var.entry_point))
    error_message = "entry_point must be lower case with underscores, at most 21 letters: a service account's id has 30."
  }
}

variable "cpu" {
  description = "vCPUs of an instance."
  type        = string
}

variable "memory" {
  description = "Memory of an instance, files included."
  type        = string
}

variable "concurrency" {
  description = "Requests that an instance serves at once."
  type        = number
}

variable "timeout_seconds" {
  description = "When a request is cut off."
  type        = number
}

variable "max_instances" {
  description = "Most instances at once."
  type        = number
}

variable "ingress" {
  description = "From where the function can be reached; the identity of the caller is checked in any case."
  type        = string

  validation {
    condition     = contains(["ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_ALL"], var.ingress)
    error_message = "ingress must be ALLOW_INTERNAL_ONLY, ALLOW_INTERNAL_AND_GCLB or ALLOW_ALL."
  }
}

variable "service_account" {
  description = "E-mail of the account that the function runs as."
  type        = string
}

variable "invokers" {
  description = "E-mails of the only accounts that may call the function."
  type        = list(string)
}

variable "builder" {
  description = "E-mail of the account that Cloud Build runs as."
  type        = string
}

variable "image_repository" {
  description = "Id of the repository for the function's image."
  type        = string
}

variable "source_bucket" {
  description = "Bucket of the source archive."
  type        = string
}

variable "source_archive" {
  description = "Name of the source archive."
  type        = string
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "secret_environment" {
  description = "Environment variables that hold the latest version of a secret: its id by the variable's name."
  type        = map(string)
  default     = {}
}

variable "vpc_connector" {
  description = "Connector to the network of a private database; null: none."
  type        = string
  default     = null
}
