variable "project_id" {
  description = "The project."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "url" {
  description = "Address of reconcile, which is the audience of the token too."
  type        = string
}

variable "caller" {
  description = "E-mail of the account that Cloud Scheduler calls as."
  type        = string
}
