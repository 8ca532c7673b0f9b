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
