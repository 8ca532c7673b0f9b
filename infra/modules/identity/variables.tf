variable "project_id" {
  description = "The project."
  type        = string
}

variable "project_number" {
  description = "The project's number."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "functions" {
  description = "What each function may touch, by its name in main.py."
  type = map(object({
    enqueues  = list(string)
    sends     = bool
    queries   = bool
    schedules = string
    reads     = list(string)
    writes    = list(string)
    deletes   = list(string)
  }))

  validation {
    condition     = alltrue([for function in values(var.functions) : contains(["edit", "remove", "none"], coalesce(function.schedules, "none"))])
    error_message = "schedules must be edit, remove or null."
  }
}

variable "secrets" {
  description = "Secrets and the functions that may read them, by the name of the environment variable."
  type = map(object({
    secret    = string
    functions = set(string)
  }))
  default = {}
}

variable "user_dataset" {
  description = "The BigQuery dataset of user data, as project.dataset; null where there is none."
  type        = string
  default     = null
}

variable "user_tables" {
  description = "The tables of the dataset that functions read; null: all of it."
  type        = set(string)
  default     = null
}

variable "database" {
  description = "The Firestore database."
  type        = string
}

variable "bucket" {
  description = "The audience bucket."
  type        = string
}

variable "source_bucket" {
  description = "The bucket of source archives."
  type        = string
}

variable "queues" {
  description = "Names of the queues, by what `enqueues` calls them."
  type        = map(string)
}
