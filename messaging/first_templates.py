"""The usual messages that a new installation starts with; operators edit them in their room (MSG-10, MSG-12)."""

FIRST: tuple[tuple[str, tuple[str, str, str], tuple[str, str, str]], ...] = (
    (
        "customer",
        (
            "Preparando el pedido",
            "Estamos preparando tu pedido {{order_number}}",
            "Hola, {{customer_name}}:\n\nYa estamos preparando tu pedido {{order_number}}: {{items}}.\n\n"
            "Lo enviaremos como tarde {{ship_by}} y te avisaremos en cuanto salga.\n\nUn saludo,\n{{shop_name}}",
        ),
        (
            "Handling started",
            "We are preparing your order {{order_number}}",
            "Hello {{customer_name}},\n\nWe have started preparing your order {{order_number}}: {{items}}.\n\n"
            "It will leave by {{ship_by}}, and we will tell you when it does.\n\nKind regards,\n{{shop_name}}",
        ),
    ),
    (
        "customer",
        (
            "A la espera de la preventa",
            "Tu pedido {{order_number}} es de preventa",
            "Hola, {{customer_name}}:\n\nTu pedido {{order_number}} lleva un artículo de preventa: {{items}}.\n\n"
            "Lo tendremos {{presale_date}} y saldrá enseguida. Si prefieres no esperar, contesta a este mensaje.\n\n"
            "Un saludo,\n{{shop_name}}",
        ),
        (
            "Waiting for pre-sale stock",
            "Your order {{order_number}} is a pre-sale",
            "Hello {{customer_name}},\n\nYour order {{order_number}} contains a pre-sale article: {{items}}.\n\n"
            "We will have it on {{presale_date}}, and it will leave straight away. If you would rather not wait, "
            "answer this message.\n\nKind regards,\n{{shop_name}}",
        ),
    ),
    (
        "customer",
        (
            "Un retraso",
            "Tu pedido {{order_number}} se retrasa",
            "Hola, {{customer_name}}:\n\nTu pedido {{order_number}} va con retraso y lo sentimos. "
            "Esperamos que te llegue {{new_date}}.\n\n"
            "Si ya no te sirve, contesta a este mensaje y lo vemos.\n\nUn saludo,\n{{shop_name}}",
        ),
        (
            "A delay",
            "Your order {{order_number}} is delayed",
            "Hello {{customer_name}},\n\nYour order {{order_number}} is late, and we are sorry. "
            "We expect it to reach you on {{new_date}}.\n\n"
            "If that is too late for you, answer this message and we will sort it out.\n\nKind regards,\n{{shop_name}}",
        ),
    ),
    (
        "customer",
        (
            "Recogido por el transportista",
            "Tu pedido {{order_number}} va de camino",
            "Hola, {{customer_name}}:\n\n{{carrier}} ha recogido tu pedido {{order_number}}. "
            "Número de seguimiento: {{tracking}}.\n\nPuedes ver por dónde va aquí: {{tracking_url}}\n\n"
            "Un saludo,\n{{shop_name}}",
        ),
        (
            "Collected by the courier",
            "Your order {{order_number}} is on its way",
            "Hello {{customer_name}},\n\n{{carrier}} has collected your order {{order_number}}. "
            "Tracking number: {{tracking}}.\n\nYou can follow it here: {{tracking_url}}\n\n"
            "Kind regards,\n{{shop_name}}",
        ),
    ),
    (
        "customer",
        (
            "Un problema de existencias",
            "Nos falta un artículo de tu pedido {{order_number}}",
            "Hola, {{customer_name}}:\n\nNos falta una parte de tu pedido {{order_number}}: {{missing_items}}.\n\n"
            "Podemos enviarte el resto ya y devolverte lo que falta, o esperar a tenerlo todo. ¿Qué prefieres?\n\n"
            "Un saludo,\n{{shop_name}}",
        ),
        (
            "A stock problem",
            "Something of your order {{order_number}} is missing",
            "Hello {{customer_name}},\n\nWe are out of a part of your order {{order_number}}: {{missing_items}}.\n\n"
            "We can send you the rest now and give you your money back for what is missing, or wait until we have it "
            "all. Which would you rather?\n\nKind regards,\n{{shop_name}}",
        ),
    ),
    (
        "customer",
        (
            "Número de seguimiento internacional",
            "El seguimiento internacional de tu pedido {{order_number}}",
            "Hola, {{customer_name}}:\n\nTu pedido {{order_number}} ya ha salido del país. Desde ahora se sigue "
            "con este número: {{international_tracking}}.\n\nDeberías tenerlo como tarde {{deliver_by}}.\n\n"
            "Un saludo,\n{{shop_name}}",
        ),
        (
            "International tracking number",
            "The international tracking of your order {{order_number}}",
            "Hello {{customer_name}},\n\nYour order {{order_number}} has left the country. From now on it is "
            "followed by this number: {{international_tracking}}.\n\nYou should have it by {{deliver_by}}.\n\n"
            "Kind regards,\n{{shop_name}}",
        ),
    ),
    (
        "customer",
        (
            "Pedir una valoración",
            "¿Qué tal tu pedido {{order_number}}?",
            "Hola, {{customer_name}}:\n\nYa tienes tu pedido {{order_number}}: {{items}}. ¿Está todo bien?\n\n"
            "Si tienes un minuto, tu valoración nos ayuda mucho. Y si algo no está bien, contesta a este mensaje.\n\n"
            "Gracias,\n{{shop_name}}",
        ),
        (
            "Asking for a review",
            "How is your order {{order_number}}?",
            "Hello {{customer_name}},\n\nYou have your order {{order_number}} by now: {{items}}. "
            "Is everything all right?\n\n"
            "If you have a minute, your review helps us a lot. And if something is wrong, answer this message.\n\n"
            "Thank you,\n{{shop_name}}",
        ),
    ),
    (
        "operator",
        (
            "Contacto por otra vía",
            "Contacto por otra vía sobre el pedido {{order_number}}",
            "Hemos hablado con {{customer_name}} fuera de la plataforma por el pedido {{order_number}}.\n\n"
            "Cuándo: {{contact_when}}\nPor dónde: {{contact_how}}\nQuién empezó: {{contact_who}}\n"
            "Qué se ha dicho: {{contact_what}}",
        ),
        (
            "Contact by another way",
            "Contact by another way about order {{order_number}}",
            "We have spoken to {{customer_name}} outside the platform about order {{order_number}}.\n\n"
            "When: {{contact_when}}\nBy what means: {{contact_how}}\nWho began it: {{contact_who}}\n"
            "What was said: {{contact_what}}",
        ),
    ),
)
"""For whom, then (name, subject, body) in Spanish and in English."""
