# The database, its indexes, and what is not indexed.

locals {
  # One entry a query over more than one field. The emulator asks for no index, so a query that lacks one fails on
  # Google Cloud only.
  indexes = {
    executions_of_recipe = {
      collection = "executions"
      scope      = "COLLECTION"
      fields     = [["recipeId", "ASCENDING"], ["sendAt", "DESCENDING"]]
    }
    executions_of_recipe_oldest_first = {
      collection = "executions"
      scope      = "COLLECTION"
      fields     = [["recipeId", "ASCENDING"], ["sendAt", "ASCENDING"]]
    }
    executions_by_state = {
      collection = "executions"
      scope      = "COLLECTION"
      fields     = [["state", "ASCENDING"], ["sendAt", "DESCENDING"]]
    }
    executions_by_state_oldest_first = {
      collection = "executions"
      scope      = "COLLECTION"
      fields     = [["state", "ASCENDING"], ["sendAt", "ASCENDING"]]
    }
    executions_of_recipe_by_state = {
      collection = "executions"
      scope      = "COLLECTION"
      fields     = [["recipeId", "ASCENDING"], ["state", "ASCENDING"], ["sendAt", "DESCENDING"]]
    }
    executions_of_recipe_by_state_oldest_first = {
      collection = "executions"
      scope      = "COLLECTION"
      fields     = [["recipeId", "ASCENDING"], ["state", "ASCENDING"], ["sendAt", "ASCENDING"]]
    }
    open_violations = {
      collection = "violations"
      scope      = "COLLECTION_GROUP"
      fields     = [["resolved", "ASCENDING"], ["at", "DESCENDING"]]
    }
    open_violations_of_recipe = {
      collection = "violations"
      scope      = "COLLECTION_GROUP"
      fields     = [["recipeId", "ASCENDING"], ["resolved", "ASCENDING"], ["at", "DESCENDING"]]
    }
  }

  # One entry a field that is looked for in all collections of a name: the automatic indexes hold one collection each.
  searched_everywhere = [
    { collection = "shards", field = "leaseUntil", order = "ASCENDING" }, # how many shards of all executions are under way
    { collection = "entries", field = "at", order = "DESCENDING" },       # who has changed anything last
  ]

  # Never queried, and large: without an exemption each would cost index entries, of which a document has 40,000.
  # The exemption of a map holds for everything in it.
  unindexed = [
    { collection = "days", field = "packed" },
    { collection = "graves", field = "packed" },
    { collection = "shards", field = "outcomes" },
    { collection = "executions", field = "recipe" },
    { collection = "executions", field = "totals" },
    { collection = "pushes", field = "live" },
    { collection = "pushes", field = "test" },
    { collection = "alerts", field = "alert" },
    { collection = "entries", field = "link" },
    { collection = "entries", field = "salts" },
  ]

  # Deleted by Firestore within a day or so after `expireAt`; a document without that field stays. The field itself
  # is not indexed: it grows with time, so its index would be a hot spot. A subcollection has a policy of its own,
  # because Firestore does not delete what is below a document. Executions and what is below them are deleted by
  # reconcile, EXECUTION_RETENTION_DAYS after their sends; their policies are for what it leaves behind.
  expiring = ["days", "alerts", "requestKeys", "accesses", "executions", "shards", "pushes", "violations", "log"]
}

resource "google_firestore_database" "this" {
  project     = var.project_id
  name        = var.database
  location_id = var.location
  type        = "FIRESTORE_NATIVE"

  concurrency_mode                  = "PESSIMISTIC" # a cancel, a checkpoint and a send race on one document
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "ABANDON" : "DELETE"
}

resource "google_firestore_index" "this" {
  for_each = local.indexes

  project     = var.project_id
  database    = google_firestore_database.this.name
  collection  = each.value.collection
  query_scope = each.value.scope

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path = fields.value[0]
      order      = fields.value[1]
    }
  }
}

resource "google_firestore_field" "searched_everywhere" {
  for_each = { for entry in local.searched_everywhere : "${entry.collection}.${entry.field}" => entry }

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.field

  index_config {
    indexes {
      order       = each.value.order
      query_scope = "COLLECTION_GROUP"
    }
  }
}

resource "google_firestore_field" "unindexed" {
  for_each = { for entry in local.unindexed : "${entry.collection}.${entry.field}" => entry }

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.field

  index_config {}
}

resource "google_firestore_field" "expiry" {
  for_each = toset(local.expiring)

  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value
  field      = "expireAt"

  ttl_config {}
  index_config {}
}

# Phones and browsers get nothing: only service accounts, which rules do not concern, reach the database.
resource "google_firebaserules_ruleset" "closed" {
  project = var.project_id

  source {
    files {
      name    = "firestore.rules"
      content = <<-EOT
        rules_version = '2';
        service cloud.firestore {
          match /databases/{database}/documents {
            match /{document=**} {
              allow read, write: if false;
            }
          }
        }
      EOT
    }
  }
}

resource "google_firebaserules_release" "closed" {
  project      = var.project_id
  name         = "cloud.firestore/${google_firestore_database.this.name}"
  ruleset_name = "projects/${var.project_id}/rulesets/${google_firebaserules_ruleset.closed.name}"

  lifecycle {
    replace_triggered_by = [google_firebaserules_ruleset.closed]
  }
}
