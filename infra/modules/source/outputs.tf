output "archive" {
  description = "The archive on this machine, once it is packed; null where none is."
  value       = one(terraform_data.archive[*].output)
}

output "name" {
  description = "Name of the archive in the source bucket: it contains the hash of all files."
  value       = "source/${local.digest}.zip"
}

output "files" {
  description = "The files on this machine, by their names in the archive."
  value       = local.files
}
