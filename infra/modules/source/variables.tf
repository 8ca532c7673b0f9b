variable "tree" {
  description = "The checkout: the folder of main.py."
  type        = string
}

variable "workspace" {
  description = "Name of the workspace's folder in the archive."
  type        = string
}

variable "workspace_files" {
  description = "Where each file of the workspace is on this machine, by its path in the workspace."
  type        = map(string)
  default     = {}
}

variable "folder" {
  description = "Where the archive is written on this machine."
  type        = string
}

variable "pack" {
  description = "Whether to pack an archive; not where an earlier one is deployed."
  type        = bool
  default     = true
}
