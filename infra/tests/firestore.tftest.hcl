# The database: protected, closed to phones, with the indexes and exemptions that its documents need.

mock_provider "google" {}

variables {
  project_id          = "kicks-test"
  database            = "tminus"
  location            = "nam5"
  deletion_protection = true
}

run "database" {
  command = plan

  module {
    source = "./modules/firestore"
  }

  assert {
    condition = alltrue([
      google_firestore_database.this.type == "FIRESTORE_NATIVE",
      google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED",
      google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED",
      google_firestore_database.this.deletion_policy == "ABANDON",
    ])
    error_message = "the database can be brought back, and is not deleted by mistake"
  }

  assert {
    condition     = strcontains(google_firebaserules_ruleset.closed.source[0].files[0].content, "allow read, write: if false;") && google_firebaserules_release.closed.name == "cloud.firestore/tminus"
    error_message = "phones and browsers get nothing"
  }

  assert {
    condition = toset(keys(google_firestore_field.unindexed)) == toset([
      "days.packed", "graves.packed", "shards.outcomes", "executions.recipe", "executions.totals", "pushes.live", "pushes.test", "alerts.alert",
      "entries.link", "entries.salts",
    ])
    error_message = "packed and large fields are not indexed"
  }

  assert {
    condition     = alltrue([for field in concat(values(google_firestore_field.unindexed), values(google_firestore_field.expiry)) : length(field.index_config) == 1 && length(field.index_config[0].indexes) == 0])
    error_message = "an exemption leaves no index at all"
  }

  assert {
    condition     = alltrue([for name, field in google_firestore_field.expiry : length(field.ttl_config) == 1 && field.field == "expireAt"]) && toset(keys(google_firestore_field.expiry)) == toset(["days", "alerts", "requestKeys", "accesses", "executions", "shards", "pushes", "violations", "log"])
    error_message = "the ledger's days, alerts, what was asked for under a key, the access log, and all that belongs to executions expire"
  }

  assert {
    condition     = one(google_firestore_field.searched_everywhere["shards.leaseUntil"].index_config[0].indexes).query_scope == "COLLECTION_GROUP"
    error_message = "shards under way are counted over all executions"
  }

  assert {
    condition     = one(google_firestore_field.searched_everywhere["entries.at"].index_config[0].indexes).order == "DESCENDING"
    error_message = "the newest entries of the whole audit log can be found"
  }

  assert {
    condition     = [for field in google_firestore_index.this["executions_of_recipe"].fields : "${field.field_path} ${field.order}"] == ["recipeId ASCENDING", "sendAt DESCENDING"]
    error_message = "a recipe's executions are listed newest first"
  }

  assert {
    condition = toset([
      for index in google_firestore_index.this : join(" ", [for field in index.fields : "${field.field_path} ${field.order}"]) if index.collection == "executions"
      ]) == toset(flatten([
        for order in ["ASCENDING", "DESCENDING"] : [
          for filter in ["recipeId ASCENDING", "state ASCENDING", "recipeId ASCENDING state ASCENDING"] : "${filter} sendAt ${order}"
        ]
    ]))
    error_message = "executions are searched by recipe, by state and by both, in either order of their sends"
  }

  assert {
    condition     = google_firestore_index.this["open_violations"].query_scope == "COLLECTION_GROUP" && [for field in google_firestore_index.this["open_violations"].fields : "${field.field_path} ${field.order}"] == ["resolved ASCENDING", "at DESCENDING"]
    error_message = "open violations of all executions are listed newest first"
  }
}

run "unprotected" {
  command = plan

  module {
    source = "./modules/firestore"
  }

  variables {
    deletion_protection = false
  }

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_DISABLED" && google_firestore_database.this.deletion_policy == "DELETE"
    error_message = "a deployment to try things on can be torn down"
  }
}
