output "files" {
  description = "The content of each file that is deployed, by its path in the folder."
  value       = local.files
}
