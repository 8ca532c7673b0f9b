variable "project_id" {
  description = "The project."
  type        = string
}

variable "project_number" {
  description = "The project's number; the proxy's assertions are made out to it."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
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

variable "service_account" {
  description = "E-mail of the account that the console runs as."
  type        = string
}

variable "image" {
  description = "The image, by its digest."
  type        = string
}

variable "vpc_connector" {
  description = "Connector to the network of a private database; null: none."
  type        = string
  default     = null
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

variable "users" {
  description = "People and their roles, as EMAIL:ROLE with commas between them."
  type        = string
}

variable "visitors" {
  description = "The members that the proxy lets in: user:EMAIL or group:EMAIL."
  type        = list(string)
}
