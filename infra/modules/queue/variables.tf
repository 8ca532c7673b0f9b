variable "project_id" {
  description = "The project."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "name" {
  description = "The queue's name. One that was deleted cannot be used again for days."
  type        = string
}

variable "max_dispatches_per_second" {
  description = "How many tasks start in a second; Cloud Tasks allows 500."
  type        = number
}

variable "max_concurrent_dispatches" {
  description = "How many tasks run at once; Cloud Tasks allows 5,000."
  type        = number
}

variable "max_retry_duration" {
  description = "How long a task is tried, at least, in seconds such as 3600s."
  type        = string
  default     = "3600s"
}

variable "min_backoff" {
  description = "The wait after the first attempt, in seconds such as 1s."
  type        = string
  default     = "1s"
}

variable "max_backoff" {
  description = "The longest wait between two attempts, in seconds such as 60s."
  type        = string
  default     = "60s"
}
