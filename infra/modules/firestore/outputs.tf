output "database" {
  description = "The database's name."
  value       = google_firestore_database.this.name
}

output "deployed" {
  description = "What the API should say of the database, its indexes, its fields and its rules: resources as it writes them."
  value = {
    database = {
      name                          = "projects/${var.project_id}/databases/${google_firestore_database.this.name}"
      type                          = google_firestore_database.this.type
      locationId                    = google_firestore_database.this.location_id
      concurrencyMode               = google_firestore_database.this.concurrency_mode
      pointInTimeRecoveryEnablement = google_firestore_database.this.point_in_time_recovery_enablement
      deleteProtectionState         = google_firestore_database.this.delete_protection_state
    }
    indexes = [
      for index in values(google_firestore_index.this) : {
        collection = index.collection
        queryScope = index.query_scope
        fields     = [for field in index.fields : { fieldPath = field.field_path, order = field.order }]
      }
    ]
    fields = [
      for field in concat(values(google_firestore_field.searched_everywhere), values(google_firestore_field.unindexed), values(google_firestore_field.expiry)) : {
        name = "projects/${var.project_id}/databases/${google_firestore_database.this.name}/collectionGroups/${field.collection}/fields/${field.field}"
        indexConfig = {
          indexes = [
            for index in field.index_config[0].indexes : { queryScope = index.query_scope, fields = [{ fieldPath = field.field, order = index.order }] }
          ]
        }
        expires = length(field.ttl_config) > 0
      }
    ]
    rules = {
      release = "projects/${var.project_id}/releases/${google_firebaserules_release.closed.name}"
      content = google_firebaserules_ruleset.closed.source[0].files[0].content
    }
  }
}
