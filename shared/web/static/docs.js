/* Starts Swagger UI on the description of this service. */
"use strict";
window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: document.getElementById("swagger").dataset.description,
    dom_id: "#swagger",
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
});
